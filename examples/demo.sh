#!/bin/sh
# The byte model on a file: how well it foretells it, how small it makes it, and what it writes itself.
#   demo.sh B2S6 MODEL FILE
b2s6=$1 model=$2 file=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
size() { wc -c <"$1" | tr -d ' '; }

echo "A language model of bytes ($(size "$model") bytes) reads $file, which it has never seen:"
"$b2s6" score "$model" "$file" || exit 1
"$b2s6" compress "$model" "$file" "$work/small" && "$b2s6" decompress "$model" "$work/small" "$work/back" || exit 1
cmp "$file" "$work/back" || exit 1
printf 'compressed: %s bytes become %s' "$(size "$file")" "$(size "$work/small")"
for tool in 'xz -9e' 'bzip2 -9' 'gzip -9'; do
    command -v "${tool%% *}" >/dev/null && printf '; %s makes %s' "$tool" "$($tool -c <"$file" | wc -c | tr -d ' ')"
done
printf '\ndecompressed: the same file\n\nWhat it writes when it is given "The library":\n\n'
"$b2s6" generate "$model" --prompt "The library" -n 300 --temperature 0.7 --seed 3
echo
