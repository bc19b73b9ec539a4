#!/bin/sh
# Models of tokens as a person meets them: convert with a tokenizer, tokenize, generate, score.
#   check_text.sh PROGRAM TEXT_MODEL FOLDER        TEXT_MODEL is build/tests/text_model, FOLDER this one
. "$(dirname "$0")/checks.sh"
program=$1
"$2" "$work" >/dev/null || { echo "$script: no models" >&2; exit 1; }
tokenizers=$3/tokenizers
hf=$work/hf model=$work/hf.b2s6 wide=$work/wide.b2s6 bytes=$3/../examples/models/bytes.b2s6

same() { # same WHAT FILE: what the last run printed is the file
    expect "$1" cmp "$work/out" "$2"
}

differs() { # differs WHAT FILE
    if cmp -s "$work/out" "$2"; then report 1 "not so: $1"; else report 0; fi
}

# ---------------------------------------------------------------------------------------------------------------- convert
runs convert "$hf" "$work/without.b2s6"
for verb in "generate $work/without.b2s6 -n 1" "score $work/without.b2s6 $0" "tokenize $work/without.b2s6 $0"; do
    # shellcheck disable=SC2086
    fails 1 "no tokenizer, and its vocabulary is not the 256 bytes; convert it again with --tokenizer" $verb
done
cp "$tokenizers/bytes.json" "$hf/tokenizer.json"
cp "$tokenizers/characters.json" "$work/wide/tokenizer.json"
runs convert "$hf" "$model"
runs info "$model"
said "tokenizer, [0-9,]* bytes"
said "bos_token_id: 0$" # what Hugging Face's own configuration of mamba says where the files are silent
said "eos_token_id: 0$"
echo '{"eos_token_id": [656, 3], "bos_token_id": null}' >"$hf/generation_config.json"
runs convert "$hf" "$model"
runs info "$model"
said "eos_token_id: 656 3$"
expect "no id begins a text" test "$(grep -c bos_token_id "$work/out")" -eq 0
runs convert "$work/wide" "$wide"
runs convert --tokenizer none "$hf" "$work/none.b2s6"
expect "without its tokenizer it is the same file" cmp "$work/none.b2s6" "$work/without.b2s6"
rm "$hf/tokenizer.json"
runs convert --tokenizer "$tokenizers/bytes.json" "$hf" "$work/given.b2s6"
expect "a tokenizer from elsewhere makes the same file" cmp "$work/given.b2s6" "$model"
cp "$tokenizers/bytes.json" "$work/mine.json"
fails 1 "would overwrite the tokenizer" convert --tokenizer "$work/mine.json" "$hf" "$work/mine.json"
fails 1 "nothere.json: No such file" convert --tokenizer "$work/nothere.json" "$hf" "$work/x"
fails 1 "tokens, but the model.s vocabulary 672: they do not belong together" convert --tokenizer "$tokenizers/characters.json" "$hf" "$work/x"
fails 1 "a tokenizer for a model of features" convert --tokenizer "$tokenizers/bytes.json" "$3/cases/b2s6-features/model.safetensors" "$work/x"
sed 's/"type": "NFC"/"type": "Lowercase"/' "$tokenizers/bytes.json" >"$hf/tokenizer.json"
fails 1 "tokenizer.json: .*Lowercase.*--tokenizer none converts the model without it" convert "$hf" "$work/x"
runs convert --tokenizer none "$hf" "$work/none.b2s6"
expect "not with --tokenizer none" cmp "$work/none.b2s6" "$work/without.b2s6"
for size in 0 1 1000 14000; do
    head -c $size "$tokenizers/bytes.json" >"$hf/tokenizer.json"
    fails 1 "tokenizer.json: " convert "$hf" "$work/x"
done
cp "$tokenizers/bytes.json" "$hf/tokenizer.json"
for bad in 672 -1 1.5 '"x"' '[0, 9999]' '{}' 4294967296; do
    echo "{\"eos_token_id\": $bad}" >"$hf/generation_config.json"
    fails 1 "eos_token_id" convert "$hf" "$work/x"
done
echo '{"eos_token_id": 1' >"$hf/generation_config.json"
fails 1 "generation_config.json: not JSON" convert "$hf" "$work/x"
expect "no file of a failure" test ! -e "$work/x"
rm "$hf/generation_config.json"

# A table as an entry of its own goes before the folder's tokenizer; what is no table is refused where it is read.
runs convert --entry tokenizer="$tokenizers/bytes.json" "$hf" "$work/json.b2s6"
for verb in "generate $work/json.b2s6 -n 1" "score $work/json.b2s6 $0" "tokenize $work/json.b2s6 $0"; do
    # shellcheck disable=SC2086
    fails 1 "its entry tokenizer cannot be used: .*convert it again with --tokenizer" $verb
done
fails 1 "not a language model of bytes: it reads the tokens of a tokenizer" compress "$model" "$0" "$work/x"
fails 1 "not a language model of bytes: it reads the tokens of a tokenizer" decompress "$model" "$0" "$work/x"

# --------------------------------------------------------------------------------------------------------------- tokenize
printf '' >"$work/empty"
printf 'Gr\303\266\303\237e \342\200\224 \346\227\245\346\234\254 e\314\201?\n\n  x = 12345;\n' >"$work/utf8"
head -c 5000 /dev/urandom >"$work/random"
head -c 5000 "$0" >"$work/script"
for vocabulary in "$model" "$wide" "$tokenizers/bytes.json" "$tokenizers/characters.json" "$bytes"; do
    for name in empty script random utf8; do
        runs tokenize "$vocabulary" "$work/$name"
        cp "$work/out" "$work/ids"
        expect "one line of ids" test "$(wc -l <"$work/ids")" -eq 1
        runs tokenize --decode "$vocabulary" "$work/ids"
        test $name = utf8 && printf 'Gr\303\266\303\237e \342\200\224 \346\227\245\346\234\254 \303\251?\n\n  x = 12345;\n' >"$work/composed"
        test $name = random && test "$vocabulary" != "$bytes" && continue # composed, too
        case $name-$vocabulary in
            utf8-*hf.b2s6 | utf8-*/bytes.json) same "$name is composed and comes back" "$work/composed" ;;
            *) same "$name comes back from ids of $vocabulary" "$work/$name" ;;
        esac
    done
done
printf 'a <s> b' >"$work/marked"
runs tokenize --around "$wide" "$work/marked"
expect "<s> twice" test "$(tr ' ' '\n' <"$work/out" | grep -c '^1$')" -eq 2
runs tokenize --around --plain "$wide" "$work/marked"
expect "<s> once" test "$(tr ' ' '\n' <"$work/out" | grep -c '^1$')" -eq 1
runs tokenize --each "$model" "$work/utf8"
said '"$'
expect "tokens are numbered and quoted" test "$(grep -vc '^[0-9]*	\("[ -~].*"\|[0-9A-F ]*\)$' "$work/out")" -eq 0
echo '35, 539	98' >"$work/ids"
runs tokenize --decode "$model" "$work/ids"
fails 2 "missing" tokenize "$model"
for bad in x -1 1.5 672 660 99999999999999999999 1x; do
    echo "3 $bad" >"$work/ids"
    fails 1 "ids: byte 3: " tokenize --decode "$model" "$work/ids"
done
fails 1 "none: No such file" tokenize "$model" "$work/none"
fails 1 "none: No such file" tokenize "$work/none" "$0"
fails 1 "irectory" tokenize "$model" "$work"
fails 1 "not a .b2s6 file" tokenize "$0" "$0"
fails 1 "digits.b2s6: not a language model: it reads features" tokenize "$(dirname "$bytes")/digits.b2s6" "$0"

# --------------------------------------------------------------------------------------------------------------- generate
runs generate "$model" --prompt "The library" -n 120
cp "$work/out" "$work/text"
expect "the prompt comes first" grep -q -a "^The library" "$work/text"
isas=$("$program" bench --isa list | awk 'NF == 1 { print $1 }')
expect "there are instruction sets" test -n "$isas"
for isa in $isas; do
    for threads in 1 2; do
        runs generate "$model" --prompt "The library" -n 120 --isa "$isa" --threads $threads --seed 1
        same "$isa with $threads threads writes the same text" "$work/text"
    done
done
runs generate "$model" --prompt "The library" -n 120 --seed 2
differs "another seed, another text" "$work/text"
for option in --temperature=0.3 --top-k=3 --top-p=0.4 --min-p=0.3 --repetition-penalty=2; do
    runs generate "$model" --prompt "The library" -n 120 $option
    differs "$option changes the text" "$work/text"
done
runs generate "$model" --prompt "The library" -n 120 --top-k=672 --top-p=1 --min-p=0 --repetition-penalty=1.0 --temperature=.80
same "options that restrict nothing change nothing" "$work/text"
runs generate "$model" --prompt "The library" -n 120 --temperature 0
cp "$work/out" "$work/likeliest"
for option in --top-k=1 --top-p=0 --min-p=1; do
    runs generate "$model" --prompt "The library" -n 120 $option --seed 3
    same "$option is the likeliest token, whatever the seed" "$work/likeliest"
done
printf 'The library' >"$work/prompt"
runs generate "$model" --prompt-file "$work/prompt" -n 120
same "a prompt from a file" "$work/text"
runs generate "$model" --prompt "The " --prompt-file "$work/prompt" -n 0
expect "both prompts" test "$(cat "$work/out")" = "The The library"
"$program" generate "$model" --prompt-file - -n 120 <"$work/prompt" >"$work/out" 2>"$work/err"
same "a prompt from a pipe" "$work/text"

# Stop strings: every place of the text is tried, so that some of them span tokens. bytes: a byte is a token.
check_stops() { # check_stops MODEL: the text up to the first place where a part of it is
    runs generate "$1" --prompt "The library" -n 60
    tail -c +12 "$work/out" >"$work/whole"
    at=0
    while test $at -lt 40; do
        stop=$(tail -c +$((at + 1)) "$work/whole" | head -c 5 | tr -d '\0')
        if test "${#stop}" -eq 5 && test "$(printf %s "$stop" | LC_ALL=C tr -dc 'A-Za-z0-9 .,;' | wc -c)" -eq 5; then
            runs generate "$1" --prompt "The library" -n 60 --stop "$stop" --stop "never to be seen"
            LC_ALL=C awk -v stop="$stop" 'BEGIN { RS = "\001" } { at = index($0, stop); printf "%s", substr($0, 1, at - 1) }' "$work/whole" >"$work/expected"
            tail -c +12 "$work/out" >"$work/part"
            expect "the text before '$stop'" cmp "$work/part" "$work/expected"
            stops=$((stops + 1))
        fi
        at=$((at + 1))
    done
}
stops=0
check_stops "$model"
check_stops "$bytes"
expect "stop strings were tried: $stops" test $stops -ge 10
runs generate "$model" --prompt "The library" -n 120 --stop "zzzzzzzzzzzzzzz"
same "a stop string that does not come changes nothing" "$work/text"

# A token that ends a text ends it: of the likeliest text fifteen are made such.
"$program" generate "$model" --prompt "The library" -n 120 --temperature 0 >"$work/whole"
ids=$("$program" tokenize "$model" "$work/whole" | tr ' ' '\n' | sort -un | tail -n 15 | tr '\n' ',')
echo "{\"eos_token_id\": [${ids%,}], \"bos_token_id\": 0}" >"$hf/generation_config.json"
runs convert "$hf" "$work/ends.b2s6"
runs generate "$work/ends.b2s6" --prompt "The library" -n 120 --temperature 0
expect "a text that ends is shorter" test "$(wc -c <"$work/out")" -lt "$(wc -c <"$work/whole")"
head -c "$(wc -c <"$work/out")" "$work/whole" >"$work/expected"
same "and the same until then" "$work/expected"

# A conversation in a file: in parts what it is in one go, on every instruction set; texts are cut inside characters, too.
for any in "$model" "$wide" "$bytes"; do
    for options in "--seed 1" "--seed 9 --repetition-penalty 1.5 --top-p 0.9"; do
        # shellcheck disable=SC2086
        runs generate "$any" --prompt "The library" -n 45 $options
        cp "$work/out" "$work/whole"
        for part in 1 7 20; do
            rm -f "$work/state"
            # shellcheck disable=SC2086
            runs generate "$any" --prompt "The library" -n $part --state "$work/state" $options
            cp "$work/out" "$work/parts"
            done=$part
            while test $done -lt 45; do
                n=$((done + part < 45 ? part : 45 - done))
                # shellcheck disable=SC2086
                runs generate "$any" -n $n --state "$work/state" --isa portable ${options#--seed [0-9]}
                cat "$work/out" >>"$work/parts"
                done=$((done + n))
            done
            head -c "$(wc -c <"$work/parts")" "$work/whole" >"$work/expected" # of a last character a part may be held back
            expect "parts of $part tokens are the whole" cmp "$work/parts" "$work/expected"
            expect "and all of it" test $(($(wc -c <"$work/whole") - $(wc -c <"$work/parts"))) -le 3
        done
    done
done
rm -f "$work/state"
runs generate "$model" --prompt "The " -n 0 --state "$work/state"
runs generate "$model" --prompt "library" -n 50 --state "$work/state"
expect "a conversation goes on with a prompt" grep -q -a "^library" "$work/out"
cp "$work/state" "$work/kept"
fails 1 "state: a conversation with another model" generate "$wide" --state "$work/state"
fails 1 "state: a conversation with another model" generate "$bytes" --state "$work/state"
size=$(wc -c <"$work/state")
for bytes_left in 0 7 8 20 31 35 60 $((size - 1)); do
    head -c "$bytes_left" "$work/kept" >"$work/state"
    fails 1 "state: \(not a conversation\|damaged or cut short\)" generate "$model" --state "$work/state"
done
(cat "$work/kept"; echo) >"$work/state"
fails 1 "state: damaged or cut short" generate "$model" --state "$work/state"
for at in 9 17 21 25 33 200 $((size - 9)); do
    (head -c $at "$work/kept"; printf '\377\372'; tail -c +$((at + 3)) "$work/kept") >"$work/state"
    fails 1 "state: \(damaged or cut short\|a conversation\)" generate "$model" --state "$work/state"
done
fails 1 "not a conversation" generate "$model" --state "$0"
fails 1 "irectory" generate "$model" --state "$work"
"$program" generate "$model" --prompt x -n 1 --state "$work/nowhere/state" >"$work/out" 2>"$work/err"
expect "a conversation that cannot be saved is a failure" test $? -eq 1
expect "and says so" grep -q "nowhere/state: cannot be written: No such file" "$work/err"
expect "no temporary file is left" test -z "$(find "$work" -name 'state.*')"

# Prompts of all kinds.
printf '\377\376\200abc\303' >"$work/bad"
for any in "$model" "$wide" "$bytes"; do
    runs generate "$any" --prompt-file "$work/bad" -n 5
    expect "a prompt that is not UTF-8 is written as it is" test "$(head -c 7 "$work/out" | od -An -tx1)" = "$(od -An -tx1 "$work/bad")"
    runs generate "$any" --prompt "" -n 5
    runs generate "$any" --prompt-file "$work/random" -n 2
    head -c 5000 "$work/out" >"$work/start"
    expect "a random prompt is written as it is" cmp "$work/start" "$work/random"
done
echo '{"eos_token_id": null, "bos_token_id": null}' >"$hf/generation_config.json"
runs convert "$hf" "$work/bare.b2s6"
fails 1 "a prompt is needed: the model has no token that begins a text" generate "$work/bare.b2s6"
runs generate "$work/bare.b2s6" --prompt x -n 3
runs score "$work/bare.b2s6" "$work/script"
i=0
while test $i -lt 4000; do
    echo "line $i of a long prompt that is read by runs and not step by step"
    i=$((i + 1))
done >"$work/long"
runs generate "$model" --prompt-file "$work/long" -n 3
head -c "$(wc -c <"$work/long")" "$work/out" >"$work/start"
expect "a long prompt" cmp "$work/start" "$work/long"
( # less memory than the prompt takes
    head -c 300000000 /dev/zero >"$work/huge"
    ulimit -v 400000
    "$program" generate "$model" --prompt-file "$work/huge" -n 3 >"$work/out" 2>"$work/err"
)
status=$?
rm -f "$work/huge"
expect "a prompt that is longer than memory is a failure: $status" test $status -eq 1
expect "and says so" grep -q "^b2s6: .*memory" "$work/err"
fails 1 "none: No such file" generate "$model" --prompt-file "$work/none"
fails 1 "irectory" generate "$model" --prompt-file "$work"
fails 2 "generate: --stop: a text is needed" generate "$model" --stop ''
fails 2 "generate: --stop needs a value" generate "$model" --stop
for bad in --temperature=hot --temperature=0.001 --temperature=101 --temperature=1e1 --top-k=0 --top-p=1.1 --top-p=-0 --min-p=2 --min-p=. \
    --repetition-penalty=0 --repetition-penalty=1000 --seed=-1 -n=-5 -n=1.5 --temperature=1234567890; do
    fails 2 "generate: ${bad%%=*}" generate "$model" "$bad"
done
fails 2 "did you mean --stop" generate "$model" --stpo=x

# ------------------------------------------------------------------------------------------------------------------ score
ids=$("$program" tokenize "$model" "$work/script" | wc -w)
runs score "$model" "$work/script"
said "^[0-9.]* bits per byte: $(wc -c <"$work/script") bytes as [0-9]*, [0-9.]* %$"
said "^[0-9.]* bits per token, perplexity [0-9.e+]*: $ids of them$"
said "^[0-9]* tokens per second"
runs score --json "$model" "$work/script"
bits=$(grep -o '"bits": [0-9.]*' "$work/out")
for isa in $isas; do
    runs score --json --isa "$isa" --threads 2 "$model" "$work/script"
    said "$bits,"
done
"$program" score --json "$model" - <"$work/script" >"$work/out"
said "$bits,"
runs score --json --piece 1000 "$model" "$work/script"
said "\"bytes\": $(wc -c <"$work/script"),"
differs "pieces are scored one by one" "$work/text"
runs score --json "$model" "$work/empty"
said '"bits_per_byte": null, "bits_per_token": null, "perplexity": null'
runs score "$model" "$work/empty"
said empty
runs score "$wide" "$work/random"
runs score --map "$model" "$work/utf8"
said 'Below the first character of each token'
runs score --map --color "$model" "$work/utf8"
expect "the map is the text" test "$(sed 's/\x1b\[[0-9;]*m//g' "$work/out" | head -n 1)" = "$(printf 'Gr\303\266\303\237e \342\200\224 \346\227\245\346\234\254 \303\251?')"
fails 1 "No such file" score "$model" "$work/none"
fails 1 "irectory" score "$model" "$work"

# ------------------------------------------------------------------------------------------------------------- terminals
on_terminal() { # on_terminal COMMAND: what a terminal gets
    script -qec "$1" /dev/null </dev/null >"$work/out" 2>&1
}
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then
    export TERM=xterm
    on_terminal "'$program' generate '$model' --prompt-file '$work/bad' -n 40"
    said "prompt: [0-9]* tokens in [0-9.]* s; then [0-9.]* tokens per second"
    expect "nothing acts on the terminal" test "$(LC_ALL=C tr -d '\r\n' <"$work/out" | LC_ALL=C tr -d ' -~\200-\377' | wc -c)" -eq 0
    on_terminal "'$program' generate '$model' --prompt x -n 40 2>'$work/err'"
    expect "no speed where standard error is no terminal" test ! -s "$work/err"
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        cat "$work/long"
    done >"$work/longer" # a bar comes after a tenth of a second
    for columns in 40 120; do
        on_terminal "stty cols $columns; '$program' generate '$model' --prompt-file '$work/longer' -n 3 2>&1 >/dev/null"
        expect "a bar in $columns columns" grep -q "tokens/s" "$work/out"
        widest=$(sed 's/\x1b\[[0-9;]*[A-Za-z]//g' "$work/out" | tr '\r' '\n' | awk '{ if (length > n) n = length } END { print n }')
        expect "which has room: $widest" test "$widest" -le $((columns > 60 ? columns : 60)) -a "$widest" -gt 20
    done
fi
finish
