#!/bin/sh
# The command line program as a person meets it: exit status, one line of error, output files complete or not there.
#   check_cli.sh PROGRAM FOLDER        FOLDER is this one
. "$(dirname "$0")/checks.sh"
program=$1
cases=$2/cases

no_leftovers() { # no_leftovers: no temporary file is left
    test -z "$(find "$work" -name '*.b2s6.*' -o -name '*.npy.*')"
    report $? "a temporary file is left"
}

# ------------------------------------------------------------------------------------------------------- help and usage
runs --help
said "usage: b2s6"
verbs=$(sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' "$work/out")
expect "the help names the verbs" test "$(echo $verbs | wc -w)" -ge 10
cp "$work/out" "$work/help"
for word in help -h "help help" "help --help" "--help --version"; do
    # shellcheck disable=SC2086
    runs $word
    expect "b2s6 $word is the help" cmp "$work/help" "$work/out"
done
"$program" >"$work/out" 2>"$work/err"
expect "no verb is a failure" test $? -eq 2 -a ! -s "$work/out"
expect "and prints the help" cmp "$work/help" "$work/err"
for word in version --version -V; do
    runs $word
    said "^b2s6 [0-9]*\.[0-9]*\.[0-9]*$"
done
for verb in $verbs; do
    runs "$verb" --help
    said "^usage: b2s6 $verb "
    runs "$verb" a -h b
    said "^usage: b2s6 $verb "
    runs help "$verb"
    said "^usage: b2s6 $verb "
    fails 2 "$verb: there is no option --no-such-option" "$verb" --no-such-option
    fails 2 "$verb: there is no option -x" "$verb" a -x
    fails 2 "$verb: .*missing" "$verb"
    fails 2 "$verb: one argument too many: " "$verb" a b c d
    # what its help says of every option: "--option VALUE", or "--option" alone
    "$program" "$verb" --help | grep -o '[[ ]--*[a-z][a-z-]* *[A-Z]*' | tr -d '[ ' | sed 's/[A-Z]/ &/' | sort -u >"$work/options"
    while read -r option value; do
        if test -n "$value"; then
            fails 2 "$verb: $option needs a value" "$verb" a "$option"
        elif ! grep -q "^$option [A-Z]" "$work/options"; then
            fails 2 "$verb: $option takes no value" "$verb" a "$option=1"
        fi
    done <"$work/options"
done
fails 2 "there is no verb conquer; see 'b2s6 --help'$" conquer
for typed in convrt covnert comvert conv; do
    fails 2 "there is no verb $typed; did you mean convert? See 'b2s6 --help'$" $typed
done
fails 2 "did you mean decompress?" decompres
fails 2 "did you mean compress?" compres
fails 2 "did you mean info?" inof
fails 2 "did you mean bench?" help bnech
fails 2 "help: one argument too many: b" help info b
fails 2 "'b2s6 info digits.b2s6' says what" digits.b2s6
fails 2 "there is no verb ;" ''
fails 2 "there is no verb --json;" --json
fails 2 "there is no option --thread; did you mean --threads?" run a --thread=3
fails 2 "there is no option --jsno; did you mean --json?" info a --jsno
fails 2 "missing" convert
fails 2 "missing" convert only
fails 2 "too many" convert a b c
fails 2 "no such type" convert --type q3 a b
fails 2 "needs a value" convert a b --type
fails 2 "takes no value" info --json=yes a
fails 2 "out is missing" run a --in b
fails 2 "in is missing" run a --out b
for chunk in 0 -1 x 1x '' 99999999999999999999; do
    fails 2 "a number of steps" run a --in b --out c "--chunk=$chunk"
done

# -------------------------------------------------------------------------------------------------------------- convert
s4=$work/s4.b2s6 mamba=$work/mamba.b2s6 both=$work/both.b2s6 features=$work/features.b2s6
runs convert "$cases/b2s6-s4/model.safetensors" "$s4"
runs convert --type=f32 "$cases/hf-mamba1" "$mamba"
runs convert "$cases/b2s6-bidirectional-mean/model.safetensors" -- "$both"
runs convert "$cases/b2s6-features/model.safetensors" "$features"
printf 'a tokenizer' >"$work/tokens"
: >"$work/empty"
fails 1 "none: No such file" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "tokens=$work/none"
fails 2 "it must be NAME=FILE" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "$work/tokens"
fails 2 "it must be NAME=FILE" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "=$work/tokens"
fails 2 "it must be NAME=FILE" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "tokens="
fails 2 "the entry tokens is empty" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "tokens=$work/empty"
fails 2 "two entries are called a" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "a=$work/tokens" --entry "a=$work/tokens"
fails 2 "at most 23 bytes" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --entry "a.name.of.24.bytes.in.all=$work/tokens"
fails 2 "states are plain or compensated" convert "$cases/b2s6-s4/model.safetensors" "$work/x" --states exact
fails 1 "would overwrite an entry's file" convert "$cases/b2s6-s4/model.safetensors" "$work/tokens" --entry "a=$work/tokens"
expect "nothing is written after an error" test ! -e "$work/x"
runs convert --entry "b=$work/tokens" --states=plain "$cases/b2s6-s4/model.safetensors" --entry="a=$work/tokens" "$work/entries.b2s6"
expect "the entries are in the file" test "$(grep -ac 'a tokenizer' "$work/entries.b2s6")" -ge 1
fails 1 "No such file" convert "$work/none" "$work/x"
fails 1 "No such file" convert "$cases/b2s6-s4/model.safetensors" "$work/none/x"
fails 1 "config.json" convert "$work" "$work/x"
fails 1 "not a safetensors file" convert "$s4" "$work/x"
fails 1 "metadata have no key b2s6" convert "$cases/hf-mamba1/model.safetensors" "$work/x"
fails 1 "directory" convert "$cases/b2s6-s4/model.safetensors" "$work"
cp "$cases/b2s6-s4/model.safetensors" "$work/own"
fails 1 "overwrite" convert "$work/own" "$work/own"
ln -s own "$work/link"
fails 1 "overwrite" convert "$work/own" "$work/link"
expect "the refused source is as it was" cmp "$cases/b2s6-s4/model.safetensors" "$work/own"
mkdir "$work/hf" && cp "$cases/hf-mamba1/config.json" "$cases/hf-mamba1/model.safetensors" "$work/hf"
fails 1 "overwrite" convert "$work/hf" "$work/hf/model.safetensors"
mv "$work/hf/model.safetensors" "$work/hf/model.safetensors.index.json"
fails 1 "model.safetensors.index.json: not JSON" convert "$work/hf" "$work/x"
rm "$work/hf/model.safetensors.index.json"
fails 1 "a folder with config.json, but without model.safetensors" convert "$work/hf" "$work/x"
for name in flax_model.msgpack tf_model.h5; do
    : >"$work/hf/$name"
    fails 1 "the weights are in $name, .*save_pretrained" convert "$work/hf" "$work/x"
    rm "$work/hf/$name"
done
: >"$work/hf/pytorch_model.bin"
fails 1 "pytorch_model.bin: not a file that PyTorch saved" convert "$work/hf" "$work/x"
rm "$work/hf/pytorch_model.bin"

# Files of other kinds: what they are, and what to do. BYTES is a format of printf.
foreign() { # foreign WHAT BYTES [CONVERT'S WORDS]
    # shellcheck disable=SC2059
    printf "$2" >"$work/foreign"
    head -c 600 /dev/zero >>"$work/foreign"
    fails 1 "foreign: ${3:-not a safetensors file but $1: }" convert "$work/foreign" "$work/x"
    fails 1 "foreign: not a .b2s6 file but $1: " info "$work/foreign"
}
foreign "a PyTorch file, which is pickled" 'PK\003\004\024\000\010\010\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\020\000\000\000archive/data.pkl' "not a whole zip archive"
foreign "an .npz file" 'PK\003\004\024\000\010\010\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\005\000\000\000a.npy'
foreign "a zip file" 'PK\003\004\024\000\010\010\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\005\000\000\000a.txt'
foreign "a pickle" '\200\002\212'
foreign "a PyTorch file from before 1.6" '\200\002\212\012' "saved by PyTorch before 1.6: load and save it again"
foreign "a GGUF file (llama.cpp)" 'GGUF\003\000\000\000'
foreign "an ONNX file" '\010\007\022\007pytorch'
foreign "an HDF5 file (Keras)" '\211HDF\r\n\032\n'
foreign "a gzip file" '\037\213\010'
foreign "a .npy file" '\223NUMPY\001'
foreign "a pointer of Git LFS, not the file" 'version https://git-lfs.github.com/spec/v1\noid sha256:'
foreign "a JSON file" '{ "architectures": [] }'
foreign "a web page" '<!DOCTYPE html>'
head -c 10 "$work/foreign" >"$work/short" # no kind is looked for beyond the end
fails 1 "short: not a" info "$work/short"
fails 1 "own: not a .b2s6 file but a safetensors file: b2s6 convert makes" info "$work/own"
fails 1 "not a safetensors file but a .b2s6 file" convert "$s4" "$work/x"
fails 1 "hf: Is a directory; b2s6 convert" info "$work/hf"
printf 'whatever it is' >"$work/foreign"
fails 1 "foreign: not a safetensors file; " convert "$work/foreign" "$work/x"
fails 1 "foreign: not a .b2s6 file$" info "$work/foreign"

# A file that is not there is told in the same words by every verb.
missing() { # missing ARGUMENTS...
    fails 1 "none: No such file or directory$" "$@"
}
for command in "info NONE" "convert NONE @" "run NONE --in @ --out @" "run MODEL --in NONE --out @" "demo MODEL NONE" "bench NONE" \
        "embed NONE @.c" "score NONE @" "generate NONE" "compress NONE @ @.x" "decompress NONE @ @.x"; do
    # shellcheck disable=SC2046
    missing $(echo "$command" | sed "s|@|$work/x|g; s|MODEL|$s4|; s|NONE|$work/none|")
done

cp "$s4" "$work/kept.b2s6"
fails 1 "not a safetensors file" convert "$s4" "$work/kept.b2s6"
expect "a failure leaves the old file" cmp "$s4" "$work/kept.b2s6"
expect "nothing is written after a failure" test ! -e "$work/x"
ln -s kept.b2s6 "$work/alias.b2s6"
runs convert "$cases/hf-mamba1" "$work/alias.b2s6"
expect "a link is followed" test -h "$work/alias.b2s6"
expect "and what it leads to is written" cmp "$mamba" "$work/kept.b2s6"
ln -s "$work/new.b2s6" "$work/ahead.b2s6" # to a file that is not there yet
ln -s ahead.b2s6 "$work/further.b2s6"
runs convert "$cases/hf-mamba1" "$work/further.b2s6"
expect "a link to nothing stays a link" test -h "$work/further.b2s6" -a -h "$work/ahead.b2s6"
expect "and what it leads to is made" cmp "$mamba" "$work/new.b2s6"
ln -s none/x "$work/astray.b2s6"
fails 1 "a link to .*none/x: No such file" convert "$cases/hf-mamba1" "$work/astray.b2s6"
ln -s round "$work/round"
fails 1 "symbolic links" convert "$cases/hf-mamba1" "$work/round"
long=$(printf '%0255d' 0)
for name in "$long" "${long%?????}" "${long%???????????}" "$(printf '\303\266%.0s' $(seq 127))" x; do
    runs convert "$cases/hf-mamba1" "$work/$name"
    expect "a name of ${#name} characters" cmp "$mamba" "$work/$name"
    rm "$work/$name"
done
fails 1 "name too long" convert "$cases/hf-mamba1" "$work/${long}0"
if test -w /dev/full; then
    fails 1 "No space" convert "$cases/b2s6-s4/model.safetensors" /dev/full
    "$program" info "$s4" >/dev/full 2>"$work/err"
    expect "a full standard output is a failure" test $? -eq 1
fi
( # files of one block at most
    ulimit -f 1
    "$program" convert "$cases/hf-mamba1" "$work/limited.b2s6"
) >/dev/null 2>&1
expect "what could not be written is a failure" test $? -eq 1
expect "and the file is not there" test ! -e "$work/limited.b2s6"
no_leftovers

# ----------------------------------------------------------------------------------------------------------------- info
runs info "$s4"
said "B2S6: h 4 blocks of p 4 channels, n 8 complex states"
runs info --json "$mamba"
said '"d_inner": 96'
fails 1 "none: No such file or directory" info "$work/none"
fails 1 "Is a directory" info "$work"
mkfifo "$work/pipe"
fails 1 "not a regular file" info "$work/pipe" # nobody writes to it: it must not wait
fails 1 "" info "$cases/b2s6-s4/inputs.npy"
head -c 1000 "$s4" >"$work/cut.b2s6"
fails 1 "cut.b2s6" info "$work/cut.b2s6"

# ------------------------------------------------------------------------------------------------------------------ run
for name in b2s6-s4 hf-mamba1 b2s6-features long; do
    source=$cases/$name
    test -f "$source/config.json" || source=$source/model.safetensors
    runs convert "$source" "$work/model.b2s6"
    runs run "$work/model.b2s6" --in "$cases/$name/inputs.npy" --out "$work/whole.npy"
    for chunk in 1 2 7 64 100000; do
        runs run "$work/model.b2s6" --in "$cases/$name/inputs.npy" --out "$work/chunks.npy" --chunk "$chunk"
        expect "$name in chunks of $chunk gives the same bits" cmp "$work/whole.npy" "$work/chunks.npy"
    done
done
runs run "$both" --in "$cases/b2s6-bidirectional-mean/inputs.npy" --out "$work/one.npy"
expect "one row in all" grep -q -a "'shape': (1, 10)" "$work/one.npy"
fails 1 "bidirectional" run "$both" --in "$cases/b2s6-bidirectional-mean/inputs.npy" --out "$work/x" --chunk 5
fails 1 "tokens" run "$features" --in "$cases/b2s6-s4/inputs.npy" --out "$work/x"
fails 1 "features" run "$s4" --in "$cases/b2s6-features/inputs.npy" --out "$work/x"
fails 1 "overwrite" run "$s4" --in "$cases/b2s6-s4/inputs.npy" --out "$s4"
fails 1 "No such file" run "$s4" --in "$work/none" --out "$work/x"
fails 1 "not a .npy file" run "$s4" --in "$s4" --out "$work/x"

# --------------------------------------------------------------------------------------------- threads, instruction sets
for threads in 0 -1 257 1000000 99999999999999999999 '' x 2x ' 2' +2 0x2 1.5 1e1; do
    fails 2 "--threads takes a number from 1 to 256" run a --in b --out c "--threads=$threads"
    fails 2 "--threads takes a number from 1 to 256" bench a "--threads=$threads"
done
for isa in mmx AVX2 '' avx 'sse2 ' list; do
    fails 2 "there is no instruction set $isa; this program has portable" run a --in b --out c "--isa=$isa"
done
fails 2 "there is no instruction set mmx" bench a --isa mmx
fails 2 "prints a table, without --json" bench a --against b.so --json
fails 1 "cannot be loaded" bench "$cases/../../examples/models/digits.b2s6" --against "$work/none.so"
fails 2 "needs a value" run a --in b --out c --threads
fails 2 "needs a value" run a --in b --out c --isa
fails 1 "none: No such file or directory" run "$work/none" --in b --out c --threads 3 --isa portable
for name in b2s6-s4 hf-mamba1 b2s6-bidirectional-mean; do
    source=$cases/$name
    test -f "$source/config.json" || source=$source/model.safetensors
    runs convert "$source" "$work/model.b2s6"
    runs run "$work/model.b2s6" --in "$cases/$name/inputs.npy" --out "$work/whole.npy"
    for threads in 1 2 4 256; do
        runs run "$work/model.b2s6" --in "$cases/$name/inputs.npy" --out "$work/threads.npy" --threads "$threads"
        expect "$name on $threads threads gives the same bits" cmp "$work/whole.npy" "$work/threads.npy"
    done
    "$program" bench --isa list >"$work/isas"
    while read -r isa elsewhere; do
        if test -n "$elsewhere"; then
            fails 1 "this machine cannot run the instruction set $isa" run a --in b --out c --isa "$isa"
            continue
        fi
        runs run "$work/model.b2s6" --in "$cases/$name/inputs.npy" --out "$work/isa.npy" --isa "$isa" --threads 3
        expect "$name on $isa gives the same bits" cmp "$work/whole.npy" "$work/isa.npy"
    done <"$work/isas"
done
for chunk in 1 3; do
    runs run "$s4" --in "$cases/b2s6-s4/inputs.npy" --out "$work/whole.npy"
    runs run "$s4" --in "$cases/b2s6-s4/inputs.npy" --out "$work/both.npy" --chunk "$chunk" --threads 2
    expect "chunks of $chunk on 2 threads give the same bits" cmp "$work/whole.npy" "$work/both.npy"
done
expect "the portable instruction set is there" grep -q '^portable *$' "$work/isas"
runs info "$s4"
said '^kernels  *[a-z]'
runs info --json "$s4"
said '"isas": {"portable": true'
if command -v qemu-x86_64 >/dev/null && grep -q avx512 "$work/isas"; then # a machine that has less
    qemu-x86_64 -cpu qemu64 "$program" run "$s4" --in b --out "$work/x" --isa avx512 >"$work/out" 2>"$work/err"
    expect "an instruction set that the machine lacks is a failure" test $? -eq 1
    expect "and named" grep -q '^b2s6: this machine cannot run the instruction set avx512$' "$work/err"
    qemu-x86_64 -cpu qemu64 "$program" info "$s4" >"$work/out"
    said '^kernels  *sse2; also here: portable; not here: avx2'
    qemu-x86_64 -cpu qemu64 "$program" run "$s4" --in "$cases/b2s6-s4/inputs.npy" --out "$work/isa.npy" >/dev/null 2>&1
    expect "there the best that it has gives the same bits" cmp "$work/whole.npy" "$work/isa.npy"
else
    echo "    not run here: a machine that lacks an instruction set, which takes QEMU for x86-64"
fi
no_leftovers

npy() { # npy DICTIONARY VALUES...: a .npy file, values in printf's escapes
    header=$1
    shift
    {
        printf '\223NUMPY\001\000'
        # shellcheck disable=SC2059
        printf "\\$(printf %o "${#header}")\\000%s" "$header"
        # shellcheck disable=SC2059
        printf "$@"
    } >"$work/made.npy"
}
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }" '\001\000\000\000\002\000\000\000'
runs run "$s4" --in "$work/made.npy" --out "$work/four.npy"
npy '{"shape":(2,),"descr":"<i8","fortran_order":False}' '\001\000\000\000\000\000\000\000\002\000\000\000\000\000\000\000'
runs run "$s4" --in "$work/made.npy" --out "$work/eight.npy"
expect "int64 is read as int32" cmp "$work/four.npy" "$work/eight.npy"
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (0,), }" ''
runs run "$s4" --in "$work/made.npy" --out "$work/none.npy"
expect "no steps, no rows" grep -q -a "'shape': (0, 10)" "$work/none.npy"
fails 1 "no steps" run "$both" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }" '\001\000\000\000\040\000\000\000'
fails 1 "step 1: token 32, but the vocabulary has 32" run "$s4" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }" '\377\377\377\377'
fails 1 "step 0: token -1" run "$s4" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }" '\000\000\000\000\000\000\300\177'
fails 1 "step 1: feature 0 is infinite or not a number" run "$features" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }" '\000\000\000\000\000\000\000\000'
fails 1 "2 features a step, but the model reads 1" run "$features" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }" '\000\000\000\000\000\000\360\177'
fails 1 "infinite" run "$features" --in "$work/made.npy" --out "$work/x"
for header in '' '{' '{}' "{'descr': '<i4', 'shape': (1,)}" "{'descr': '<i4', 'fortran_order': 0, 'shape': (1,)}" \
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1)}" "{'descr': '<i4', 'fortran_order': False, 'shape': (-1,)}" \
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), 'more': 1}" \
        "{'descr': '<i4', 'fortran_order': False, 'shape': (1,)} x" "{'descr': '<i4 , 'fortran_order': False, 'shape': (1,)}" \
        "{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}"; do
    npy "$header" '\001\000\000\000'
    fails 1 "header cannot be understood" run "$s4" --in "$work/made.npy" --out "$work/x"
done
npy "{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }" '\000\000\000\001'
fails 1 "its values are >i4" run "$s4" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }" '\000\000\000\000'
fails 1 "Fortran order" run "$features" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }" '\000\000\000\000'
fails 1 "3 dimensions" run "$features" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }" '\001\000\000\000'
fails 1 "4 bytes of values, but its shape needs 8" run "$s4" --in "$work/made.npy" --out "$work/x"
npy "{'descr': '<i4', 'fortran_order': False, 'shape': (1152921504606846975,), }" '\001\000\000\000'
fails 1 "its shape needs\|too large" run "$s4" --in "$work/made.npy" --out "$work/x"
expect "nothing is written after a failure" test ! -e "$work/x"
no_leftovers

# ----------------------------------------------------------------------------------------------------------------- demo
fails 1 "not a file of digits" demo "$s4" "$cases/b2s6-s4/inputs.npy"
{
    printf 'B2S6DIGT\001\000\000\000\001\000\000\000\010\000\000\000\010\000\000\000\012\000\000\000'
    printf '%064d' 0 | tr 0 '\010'
    printf '\003'
} >"$work/digit.bin"
fails 1 "not a model of digits" demo "$s4" "$work/digit.bin"
printf '\003' >>"$work/digit.bin"
fails 1 "does not fit" demo "$s4" "$work/digit.bin"

finish
