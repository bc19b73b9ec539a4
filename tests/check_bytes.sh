#!/bin/sh
# score, generate, compress and decompress as a person meets them: exit status, one line of error, output whole or not there.
#   check_bytes.sh PROGRAM BYTE_MODEL SHIPPED        BYTE_MODEL is build/tests/byte_model, SHIPPED examples/models/bytes.b2s6
. "$(dirname "$0")/checks.sh"
program=$1
"$2" "$work" >/dev/null || { echo "$script: no models" >&2; exit 1; }
model=$work/one.b2s6 other=$work/other.b2s6 text=$work/text shipped=$3

same() { # same WHAT FILE: what the last run printed is the file
    expect "$1" cmp "$work/out" "$2"
}

no_leftovers() { # no_leftovers: no temporary file, nothing under a final name that should not be
    test -z "$(find "$work" -name '*.??????' ! -name '*.b2s6')" && test ! -e "$work/x"
    report $? "something is left: $(ls "$work")"
}

# -------------------------------------------------------------------------------------------------- compress, decompress
printf '' >"$work/empty"
printf 'x' >"$work/single"
i=0
while test $i -lt 256; do
    # shellcheck disable=SC2059
    printf "\\$(printf %o $i)"
    i=$((i + 1))
done >"$work/every"
head -c 100000 /dev/zero >"$work/zeros"
head -c 5000 /dev/urandom >"$work/random"
printf 'Gr\303\266\303\237e \342\200\224 \346\227\245\346\234\254\n' >"$work/utf8"
printf 'Gr\366\337e\r\n' >"$work/latin1"
printf '\377\376G\000r\000\366\000\337\000e\000\345\145\054\147' >"$work/utf16"
for name in empty single every text zeros random utf8 latin1 utf16; do
    runs compress "$model" "$work/$name" "$work/small"
    runs decompress "$model" "$work/small" "$work/back"
    expect "$name comes back" cmp "$work/$name" "$work/back"
    runs compress "$model" "$work/$name" -
    same "$name on standard output is the same file" "$work/small"
    "$program" compress "$model" - - <"$work/$name" 2>&1 | cat >"$work/piped"
    expect "$name through pipes is the same file" cmp "$work/small" "$work/piped"
    cat "$work/small" | "$program" decompress "$model" - - 2>&1 | cat >"$work/back"
    expect "$name comes back through pipes" cmp "$work/$name" "$work/back"
    expect "$name has not grown" test "$(wc -c <"$work/small")" -le $(($(wc -c <"$work/$name") * 51 / 50 + 64))
done

runs compress "$model" "$text" "$work/small"
cp "$work/small" "$work/kept"
isas=$("$program" bench --isa list | awk 'NF == 1 { print $1 }')
expect "there are instruction sets" test -n "$isas"
head -c 300 "$text" >"$work/few" # threads that wait for a processor are slow
runs compress "$model" "$work/few" "$work/few.small"
runs score --json "$model" "$work/few"
few_bits=$(grep -o '"bits": [0-9.]*' "$work/out")
for isa in $isas; do
    runs compress --isa "$isa" "$model" "$text" -
    same "$isa gives the same file" "$work/small"
    runs decompress --isa "$isa" "$model" "$work/small" -
    same "$isa reads it" "$text"
    for threads in 1 2 3; do
        runs compress --isa "$isa" --threads "$threads" "$model" "$work/few" -
        same "$isa, $threads threads give the same file" "$work/few.small"
        runs decompress --isa "$isa" --threads "$threads" "$model" "$work/few.small" -
        same "$isa, $threads threads read it" "$work/few"
        runs score --isa "$isa" --threads "$threads" --json "$model" "$work/few"
        said "$few_bits,"
    done
done
dribble() { # dribble FILE: it comes in small parts
    dd if="$1" bs=100 count=1 2>/dev/null && sleep 0.1 && dd if="$1" bs=100 skip=1 count=1 2>/dev/null && sleep 0.1 &&
        dd if="$1" bs=200 skip=1 2>/dev/null
}
dribble "$text" | "$program" compress "$model" - - >"$work/out"
same "a file that comes in parts gives the same file" "$work/small"
dribble "$work/small" | "$program" decompress "$model" - - >"$work/out"
same "a compressed file that comes in parts is read" "$text"

# The shipped model: integer weights, wide enough for every kernel.
head -c 150 "$0" >"$work/lines"
runs compress "$shipped" "$work/lines" "$work/lines.small"
expect "it is good at text" test "$(wc -c <"$work/lines.small")" -lt 110
for isa in $isas; do
    runs compress --isa "$isa" --threads 2 "$shipped" "$work/lines" -
    same "the shipped model on $isa gives the same file" "$work/lines.small"
    runs decompress --isa "$isa" "$shipped" "$work/lines.small" -
    same "the shipped model on $isa reads it" "$work/lines"
done
fails 1 "another model" decompress "$model" "$work/lines.small" "$work/x"
digits=$(dirname "$shipped")/digits.b2s6
for verb in compress decompress; do
    fails 1 "digits.b2s6: not a language model of bytes" "$verb" "$digits" "$work/lines.small" "$work/x"
done
for verb in "score $digits $work/lines" "generate $digits"; do
    # shellcheck disable=SC2086
    fails 1 "digits.b2s6: not a language model: it reads features" $verb
done

# A signal in the middle takes the unfinished file away. The pipe stays open, so that the program waits for more.
mkfifo "$work/pipe"
plain=
env --default-signal true 2>/dev/null && plain="env --default-signal" # what a shell starts in the background ignores INT and QUIT, nohup HUP
ends_by() { # ends_by SIGNAL THREADS: the program ends by this signal, and the unfinished file is gone
    # shellcheck disable=SC2086
    (ulimit -c 0; exec $plain "$program" compress --threads "$2" "$model" "$work/pipe" "$work/x" 2>/dev/null) &
    compressing=$!
    exec 3>"$work/pipe"
    tries=0
    until ls "$work"/x.?????? >"$work/unfinished" 2>/dev/null || test $tries -eq 200; do
        sleep 0.05
        tries=$((tries + 1))
    done
    expect "a file is being written" test -s "$work/unfinished" -a $tries -lt 200
    kill -"$1" "$compressing"
    wait "$compressing" 2>/dev/null
    status=$?
    exec 3>&-
    expect "$1 ends it, which $status does not say" test "$(kill -l $status 2>/dev/null)" = "$1"
    expect "$1 leaves no unfinished file" test ! -e "$(cat "$work/unfinished")"
}
for signal in TERM PIPE ALRM VTALRM PROF XCPU USR1 USR2 ABRT BUS FPE ILL SEGV SYS TRAP; do
    ends_by $signal 1
done
ends_by TERM 2
if test -n "$plain"; then
    ends_by HUP 1
    ends_by INT 1
    ends_by QUIT 1
else
    echo "    not run here: HUP, INT and QUIT, which take an env that knows --default-signal"
fi
for verb in compress decompress; do
    fails 2 "a number from 1 to 256" "$verb" --threads 0 "$model" "$text" "$work/x"
done

fails 1 "another model" decompress "$other" "$work/small" "$work/x"
fails 1 "text: not a file that b2s6 compressed" decompress "$model" "$text" "$work/x"
fails 1 "empty: not a file that b2s6 compressed" decompress "$model" "$work/empty" "$work/x"
head -c 500 "$work/small" >"$work/cut"
fails 1 "cut: damaged or cut short" decompress "$model" "$work/cut" "$work/x"
cat "$work/small" "$work/single" >"$work/longer"
fails 1 "longer: damaged or cut short" decompress "$model" "$work/longer" "$work/x"
fails 1 "longer: damaged or cut short" decompress "$model" "$work/longer" -
cat "$work/cut" | "$program" decompress "$model" - "$work/x" 2>"$work/err"
expect "a cut file in a pipe is a failure" test $? -eq 1
expect "and says so" grep -q "^b2s6: standard input: damaged or cut short" "$work/err"
fails 1 "No such file" compress "$model" "$work/none" "$work/x"
fails 1 "none: No such file or directory" compress "$work/none" "$text" "$work/x"
fails 1 "not a .b2s6 file" compress "$text" "$text" "$work/x"
fails 1 "irectory" compress "$model" "$work" "$work/x"
fails 1 "irectory" compress "$model" "$text" "$work"
fails 1 "No such file" compress "$model" "$text" "$work/none/x"
fails 1 "overwrite" compress "$model" "$text" "$text"
fails 1 "overwrite" compress "$model" "$text" "$model"
fails 1 "overwrite" decompress "$model" "$work/small" "$work/small"
fails 2 "there is no instruction set none" compress --isa none "$model" "$text" "$work/x"
fails 1 "another model" decompress "$other" "$work/small" "$work/kept"
expect "a failure leaves the old file" cmp "$work/small" "$work/kept"
if test -w /dev/full; then
    fails 1 "No space" compress "$model" "$text" /dev/full
    fails 1 "No space" decompress "$model" "$work/small" /dev/full
    for verb in compress decompress; do
        "$program" "$verb" "$model" "$work/small" - >/dev/full 2>"$work/err"
        expect "a full standard output is a failure" test $? -eq 1
    done
fi
runs compress "$model" "$work/random" "$work/more"
( # files of one block at most
    ulimit -f 1
    "$program" decompress "$model" "$work/more" "$work/x"
) >/dev/null 2>&1
expect "what could not be written is a failure" test $? -eq 1
"$program" compress "$model" - "$work/x" <&- 2>"$work/err"
expect "a closed standard input is a failure" test $? -eq 1
expect "and says so" grep -q "^b2s6: standard input: Bad file descriptor" "$work/err"
"$program" decompress "$model" "$work/small" - >&- 2>"$work/err"
expect "a closed standard output is a failure" test $? -eq 1
"$program" compress "$other" "$text" "$work/none/x" 2>&-
expect "a failure without standard error is one all the same" test $? -eq 1
mkdir "$work/locked" && chmod 500 "$work/locked"
test -w "$work/locked" || fails 1 "ermission" compress "$model" "$text" "$work/locked/x"
no_leftovers

# ----------------------------------------------------------------------------------------------------------------- score
runs score "$model" "$text"
said "^[0-9.]* bits per byte: 3000 bytes as [0-9]*, [0-9.]* %$"
said "^[0-9]* tokens per second"
runs score --json "$model" "$text"
bits=$(sed -n 's/.*"bits": \([0-9]*\).*/\1/p' "$work/out")
size=$(wc -c <"$work/small")
expect "what compress makes of the model's own text is what score says" \
    test $((size * 8)) -ge $((bits - bits / 100)) -a $((size * 8)) -le $((bits + bits / 100 + 30 * 8))
cat "$text" | "$program" score --json "$model" - | grep -q "\"bits\": $bits"
expect "the same from a pipe" test $? -eq 0
runs score --json --piece 1000 "$model" "$text"
said '"bytes": 3000'
runs score --json "$model" "$work/empty"
said '"bits_per_byte": null'
runs score "$model" "$work/empty"
said 'empty'
printf 'one line\nand another\n' >"$work/lines"
runs score --map "$model" "$work/lines"
said '^one line$'
runs score --map --color "$model" "$work/lines"
expect "colours are there" grep -q "38;5;" "$work/out"
fails 1 "No such file" score "$model" "$work/none"
fails 1 "irectory" score "$model" "$work"
fails 2 "number of bytes" score --piece 0 "$model" "$text"
fails 2 "number of bytes" score --piece 1k "$model" "$text"
fails 2 "a number from 1 to 256" score --threads 257 "$model" "$text"
runs score --threads 2 --json "$model" "$text"
said "\"bits\": $bits"
fails 2 "do not go together" score --map --json "$model" "$text"

# On a terminal: colours unless they are unwelcome, and a bar that goes away.
on_terminal() { # on_terminal COMMAND: what a terminal of this kind gets
    script -qec "$1" /dev/null </dev/null >"$work/out" 2>&1
}
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    export TERM=xterm
    unset NO_COLOR
    on_terminal "'$program' score --map '$model' '$work/lines'"
    expect "a terminal gets colours" grep -q "38;5;" "$work/out"
    for plain in NO_COLOR=1 TERM=dumb; do
        on_terminal "$plain '$program' score --map '$model' '$work/lines'"
        expect "no colours with $plain" test "$(grep -c "38;5;" "$work/out")" -eq 0 -a -s "$work/out"
    done
    on_terminal "'$program' compress '$model' '$work/zeros' '$work/small'"
    expect "a bar is drawn" grep -q '\[#*\.*\] *[0-9]* %.* kB/s' "$work/out"
    expect "and says what became of it" grep -q '100000 -> [0-9]* bytes, [0-9.]* s' "$work/out"
    on_terminal "'$program' compress '$model' '$work/zeros' '$work/small' 2>'$work/err'"
    expect "no bar where standard error is no terminal" test ! -s "$work/err" -a ! -s "$work/out"
    # Forty columns: no line is longer, none is filled up where it is drawn again, and no word of a help text is lost.
    widest() { # widest: columns of the longest line of what the terminal got; control sequences take none
        sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$work/out" | tr '\r' '\n' | LC_ALL=C sed 's/[\x80-\xbf]//g' | LC_ALL=C awk '{ if (length > n) n = length } END { print n }'
    }
    only() { # only SCRIPT: what sed leaves of it
        sed "$1" "$work/out" >"$work/rows" && cp "$work/rows" "$work/out"
    }
    for columns in 36 40 79; do
        on_terminal "stty cols $columns; '$program' compress '$model' '$work/zeros' '$work/small'"
        expect "the bar has room in $columns columns" test "$(widest)" -lt $columns -a "$(widest)" -gt 10
    done
    for columns in 40 60 100; do
        for command in help "help convert" "help generate" "info '$model'" "bench --isa list"; do
            on_terminal "stty cols $columns; '$program' $command"
            word=$((14 + ${#model})) # of info the longest, which is not broken
            expect "$command in $columns columns" test "$(widest)" -le $((columns > word ? columns : word)) -a "$(widest)" -gt 15
            tr -s ' \r\n' '\n' <"$work/out" >"$work/words"
            eval "'$program' $command" | tr -s ' \n' '\n' >"$work/all.words"
            expect "$command in $columns columns has all its words" cmp "$work/words" "$work/all.words"
        done
        on_terminal "stty cols $columns; NO_COLOR=1 '$program' score --map '$model' '$text'"
        expect "the map in $columns columns" test "$(only '/^Below each/,$d'; widest)" -le $columns
    done
    on_terminal "stty cols 40; '$program' demo '$digits' '$(dirname "$digits")/digits-test.bin'"
    expect "the demo in 40 columns" test "$(only '/ [a-z][a-z]* /d'; widest)" -lt 40
    on_terminal "'$program' compress '$model' '$text' -"
    expect "compressed data are not for a terminal" grep -q "b2s6: .*not for reading" "$work/out"
fi

# -------------------------------------------------------------------------------------------------------------- generate
runs generate "$model" --prompt "begin " -n 300 --seed 5
cp "$work/out" "$work/generated"
expect "a prompt and 300 bytes" test "$(wc -c <"$work/generated")" -eq 306
expect "the prompt comes first" grep -q -a "^begin " "$work/generated"
runs generate --seed=5 -n 300 "$model" --temperature 0.80 --prompt "begin " --isa portable --threads 2
same "the same seed, the same text" "$work/generated"
runs generate "$model" --prompt "begin " -n 300 --seed 6
if cmp -s "$work/out" "$work/generated"; then report 1 "another seed, the same text"; else report 0; fi
runs generate "$model" --temperature 0 --seed 1
cp "$work/out" "$work/generated"
runs generate "$model" --top-k 1 --seed 2
same "temperature 0 is the likeliest byte, whatever the seed" "$work/generated"
runs generate "$model" -n 0
same "nothing asked for, nothing written" "$work/empty"
for bad in --temperature=hot --temperature=-1 --temperature=0.001 --top-k=0 --top-k=-1 --seed=-1 --seed=x --threads=x -n=-5 -n=1.5; do
    fails 2 "generate: ${bad%%=*}" generate "$model" "$bad"
done
if test -w /dev/full; then
    "$program" generate "$model" -n 100000 >/dev/full 2>"$work/err"
    expect "a full standard output is a failure" test $? -eq 1
fi

finish
