#!/bin/sh
# The program speech as a person meets it: words and times, pipes, rates and channels, one line of error for what it cannot read.
#   check_speech.sh PROGRAM TESTS
. "$(dirname "$0")/checks.sh"
program=$1 examples=$2/../examples
model=$examples/models/speech.b2s6 clips=$examples/speech/clips stream=$examples/speech/clips/stream.wav

refused() { # refused TEXT ARGUMENTS...: exit status 1, one line on stderr with TEXT
    says=$1
    shift
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    test $? -eq 1 && test "$(wc -l <"$work/err")" -eq 1 && grep -q -e "^speech: .*$says" "$work/err"
    report $? "speech $*: not '$says' but $(head -n 1 "$work/err")"
}

digits() { # digits FILE: the words of an output as figures
    sed -e 's/.* s  //' -e 's/ .*//' "$1" | sed -e s/zero/0/ -e s/one/1/ -e s/two/2/ -e s/three/3/ -e s/four/4/ -e s/five/5/ -e s/six/6/ \
        -e s/seven/7/ -e s/eight/8/ -e s/nine/9/
}

# ---------------------------------------------------------------------------------------------------------------- words
"$program" "$model" "$stream" >"$work/words" 2>"$work/err"
report $? "the stream: $(head -n 1 "$work/err")"
digits "$work/words" >"$work/heard"
cut -d ' ' -f 1 "$clips/stream.txt" >"$work/spoken"
expect "all words of the stream and no others" cmp "$work/spoken" "$work/heard"
expect "no control characters where there is no terminal" sh -c "! grep -q '[[:cntrl:]]' '$work/words'"

tail -c +45 "$stream" >"$work/raw"
"$program" "$model" <"$work/raw" >"$work/out" 2>&1
expect "raw samples give the same words" cmp "$work/words" "$work/out"
cat "$stream" | "$program" "$model" - >"$work/out" 2>&1
expect "a WAV file through a pipe gives the same words" cmp "$work/words" "$work/out"
(head -c 100001 "$work/raw"; sleep 1; tail -c +100002 "$work/raw") | "$program" "$model" >"$work/out" 2>&1
expect "an interrupted pipe gives the same words" cmp "$work/words" "$work/out"

# Two channels of the same; the other rates as steps: each sample twice and six times.
for repeat in 2 6; do
    LC_ALL=C od -An -v -w2 -t x1 "$work/raw" | awk -v n=$repeat '{ for (i = 0; i < n; i++) printf "\\%03o\\%03o", hex($1), hex($2) }
        function hex(s) { return 16 * (index("0123456789abcdef", substr(s, 1, 1)) - 1) + index("0123456789abcdef", substr(s, 2, 1)) - 1 }' \
        >"$work/octal"
    # shellcheck disable=SC2046
    fold -w 8000 "$work/octal" | while IFS= read -r line; do printf "$line"; done >"$work/repeated"
    if test $repeat = 2; then
        "$program" --channels 2 "$model" <"$work/repeated" >"$work/out" 2>&1
        expect "two channels are mixed" cmp "$work/words" "$work/out"
        "$program" --rate 16000 "$model" <"$work/repeated" >"$work/out" 2>&1
    else
        "$program" --rate 48000 "$model" <"$work/repeated" >"$work/out" 2>&1
    fi
    digits "$work/out" >"$work/heard"
    expect "resampled $repeat to 1: the same words" cmp "$work/spoken" "$work/heard"
done

for clip in "$clips"/?_*_0.wav; do
    name=$(basename "$clip")
    "$program" --word "$model" "$clip" >"$work/out" 2>&1
    expect "$name is a ${name%%_*}" sh -c "test \"\$(cat '$work/out')\" = ${name%%_*}"
done

head -c 320000 /dev/zero | "$program" "$model" >"$work/out" 2>"$work/err"
test $? -eq 0 && test ! -s "$work/out" && test ! -s "$work/err"
report $? "silence: $(head -n 1 "$work/out" "$work/err")"
i=0
while test $i -lt 4000; do
    printf '\377\177\000\200\377\177\377\177\000\200\000\200'
    i=$((i + 1))
done >"$work/loud"
"$program" "$model" <"$work/loud" >"$work/out" 2>"$work/err"
test $? -eq 0 && grep -q 'full scale: record it with less gain' "$work/err"
report $? "clipping is told: $(head -n 1 "$work/err")"

# --------------------------------------------------------------------------------------------------------------- errors
refused 'a model and at most one' 
refused 'a model and at most one' "$model" a b
refused 'no option --loud' --loud "$model"
refused '--rate needs a whole number' --rate
refused '--rate needs a whole number' --rate 8k "$model"
refused '--channels needs a whole number from 1 to 8' --channels 9 "$model"
refused '--threshold needs a whole number from 1 to 100' --threshold 0 "$model"
refused 'there are no samples' "$model"
refused '11025 samples a second' --rate 11025 "$model"
refused 'No such file' "$model" "$work/none.wav"
refused 'cannot be opened' "$work/none.b2s6" "$stream"
refused 'not a model of spoken digits' "$examples/models/digits.b2s6" "$stream"
refused 'Is a directory' "$model" "$work"
head -c 100 "$model" >"$work/cut.b2s6"
refused 'cut.b2s6: ' "$work/cut.b2s6" "$stream"
head -c 30000 "$stream" >"$work/cut.wav"
refused 'cut: it ends after 1.87 s, its header announces 20.35 s' "$model" "$work/cut.wav"
printf 'fLaC0000000000000000' >"$work/x.flac"
refused 'format FLAC' "$model" "$work/x.flac"
"$program" --help >"$work/out" 2>&1 && grep -q '^usage: speech' "$work/out"
report $? "--help"
if test -w /dev/full; then
    "$program" "$model" "$stream" >/dev/full 2>"$work/err"
    test $? -eq 1 && grep -q 'standard output cannot be written' "$work/err"
    report $? "a full disk is told"
fi
finish
