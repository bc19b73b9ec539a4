#!/bin/sh
# The byte model on a file: how well it predicts it, how small it makes it, and what it writes itself.
#   demo.sh B2S6 MODEL FILE
b2s6=$1 model=$2 file=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
size() { wc -c <"$1" | tr -d ' '; }

echo "A language model of bytes ($(size "$model") bytes) reads $file, which it has never seen:"
echo
"$b2s6" score "$model" "$file" || exit 1
printf '\nThe first lines again, with the surprise that each character was:\n\n'
head -n 7 "$file" | fold -s -w 78 >"$work/lines"
"$b2s6" score --map "$model" "$work/lines" || exit 1

printf '\nWhat it predicts need not be stored. The file compressed:\n\n'
"$b2s6" compress "$model" "$file" "$work/small" && "$b2s6" decompress "$model" "$work/small" "$work/back" || exit 1
cmp "$file" "$work/back" || exit 1
printf '%6s bytes  as it is\n' "$(size "$file")"
for tool in 'gzip -9' 'bzip2 -9' 'xz -9e'; do
    command -v "${tool%% *}" >/dev/null && printf '%6s bytes  %s\n' "$($tool -c <"$file" | wc -c | tr -d ' ')" "$tool"
done
printf '%6s bytes  b2s6 compress; decompressed it is the same file\n' "$(size "$work/small")"

printf '\nWhat it writes by itself, beginning with ">>> import":\n\n'
"$b2s6" generate "$model" --prompt ">>> import" -n 280 --temperature 0.6 --seed 7
test -t 1 || echo # on a terminal it ends its line
