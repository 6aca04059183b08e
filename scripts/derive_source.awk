# Rewrites an APT source for another suite of the same mirror.
#
#   awk -v have=bookworm -v want=bookworm-backports -f derive_source.awk FILE...
#
# FILEs are one-line (*.list) or deb822 (*.sources) files. Prints the first enabled binary source that has the suite
# `have`, in its own format, with the suite `want` and the component main. Everything else (URIs, options, Signed-By with
# an embedded key) is unchanged. Prints nothing if no source has `have`.

FNR == 1 { end_stanza() }
done { next }
FILENAME ~ /\.sources$/ { deb822_line($0); next }
/^[ \t]*deb[ \t]/ { one_line($0) }
END { end_stanza() }

function one_line(line,    options, fields) {
  sub(/#.*/, "", line)
  options = ""
  if (match(line, /\[[^]]*\]/)) {
    options = substr(line, RSTART, RLENGTH) " "
    line = substr(line, 1, RSTART - 1) " " substr(line, RSTART + RLENGTH)
  }
  split(line, fields, " ")
  if (fields[3] != have) return
  print "deb " options fields[2] " " want " main"
  done = 1
}

# A stanza ends at an empty line; a line that starts with a blank continues the previous field.
function deb822_line(line,    colon) {
  if (line ~ /^#/) return
  if (line ~ /^[ \t]*$/) { end_stanza(); return }
  if (line !~ /^[ \t]/) {
    colon = index(line, ":")
    field = tolower(substr(line, 1, colon - 1))
    value[field] = substr(line, colon + 1)
  } else {
    value[field] = value[field] " " line
  }
  if (field !~ /^(types|suites|components|enabled)$/) kept = kept line "\n"
}

function end_stanza() {
  if (!done && has_word(value["types"], "deb") && has_word(value["suites"], have) && !has_word(value["enabled"], "no")) {
    printf "Types: deb\nSuites: %s\nComponents: main\n%s", want, kept
    done = 1
  }
  split("", value)
  kept = ""
  field = ""
}

function has_word(text, word,    words, i, n) {
  n = split(text, words, " ")
  for (i = 1; i <= n; i++) if (words[i] == word) return 1
  return 0
}
