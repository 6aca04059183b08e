# Rewrites an APT source for another suite of the same mirror.
#
#   awk -v have=bookworm -v want=bookworm-backports -f derive_source.awk FILE...
#
# FILEs are one-line (*.list) or deb822 (*.sources) files, several of either. The first enabled binary source that
# offers the suite `have` is printed in its own format with the suite `want` and the component main; everything else
# of it (URIs, options, Signed-By with an embedded key) stays as it is. Prints nothing where no source offers `have`.

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

# A stanza ends at an empty line; a line that begins with a blank continues the field above it.
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
