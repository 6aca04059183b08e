# Replaces the line @help@ of a manual page with the options of a help text in the format of CLI11:
#   awk -v help=FILE -f help_to_roff.awk PAGE

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  sub(/^[.']/, "\\\\\\&&", text)
  return text
}

function entry(left, right) {
  sub(/ (Excludes|Needs): .*/, "", left)
  default_value = ""
  if (match(left, /=[^ ]*$/)) {
    default_value = " (default: " substr(left, RSTART + 1) ")"
    left = substr(left, 1, RSTART - 1)
  }
  sub(/ TEXT( REQUIRED)?$/, "", left)
  printf ".TP\n.B %s\n%s%s\n", roff(left), roff(right), roff(default_value)
}

function fill(  line, left) {
  while ((getline line < help) > 0) {
    if (line !~ /^  /) {
      left = ""
      continue
    }
    sub(/^  /, "", line)
    if (line ~ /^ /) {
      sub(/^ +/, "", line)
      if (left != "") entry(left, line)
      left = ""
    } else if (match(line, /   +|  +[^ ]/)) {
      entry(substr(line, 1, RSTART - 1), substr(line, RSTART + RLENGTH - (substr(line, RSTART + RLENGTH - 1, 1) != " ")))
    } else {
      left = line
    }
  }
}

$0 == "@help@" { fill(); next }
{ print }
