#!/bin/sh
# Man pages and completion say what the program and the header say.
#
#   tests/check_man.sh BUILD [--require "mandoc groff bash zsh fish"]    in a built tree after make man
#
# What a tool that is missing here would show is not run, and named; with --require that is a failure.
test $# -ge 1 || { echo 'usage: check_man.sh BUILD [--require "TOOLS"]' >&2; exit 2; }
build=$(cd "$1" && pwd) || exit 2
required=
test "${2:-}" = --require && required=$3
cd "$(dirname "$0")/.." || exit 1
. tests/checks.sh
program=$build/b2s6
PATH=$build:$PATH
man=$build/man tests=$PWD/tests

have() { # have TOOL
    command -v "$1" >/dev/null && return 0
    case " $required " in *" $1 "*) report 1 "$1 is missing, which is required" ;; *) echo "not run here: what $1 shows" >&2 ;; esac
    return 1
}
same() { # same WHAT FOUND EXPECTED
    test "$2" = "$3"
    report $? "$1: found '$2', expected '$3'"
}

# ------------------------------------------------------------------------ the texts are those of the program, all of them
verbs=$(sed -n 's/^verb //p' "$man/help-texts")
"$program" help >"$work/help"
sed -n 's/^  \([a-z]*\)  *\([^ ].*\)/\1 \2/p' "$work/help" | grep -v '^b2s6 ' >"$work/listed"
awk '$1 == "verb" { verb = $2 } $1 == "summary" { sub(/^summary /, ""); print verb " " $0 }' "$man/help-texts" >"$work/found"
expect "the verbs of the man page are those of the program, in its order" diff "$work/listed" "$work/found"
for verb in $verbs; do
    "$program" help "$verb" >"$work/said"
    awk -v verb="$verb" '$1 == "verb" { on = $2 == verb } on && sub(/^text ?/, "")' "$man/help-texts" >"$work/text"
    expect "the text of $verb is what it prints" diff "$work/said" "$work/text"
done

# Nothing is lost on the way to the page: its words are those of the texts.
words() { tr -cs 'A-Za-z0-9_.' '\n' | grep . ; }
rendered() { groff -man -Tascii -P-cbou -rLL=1000n -rHY=0 -Kutf8 "$1" 2>/dev/null; }
if have groff; then
    for page in b2s6.1 b2s6.3; do
        groff -ww -man -Tutf8 -z "$man/$page" >"$work/warnings" 2>&1
        expect "groff has no warning for $page" test ! -s "$work/warnings"
    done
    sed -n 's/^text //p; s/^summary //p' "$man/help-texts" | grep -v '^usage: ' | words | LC_ALL=C sort -u >"$work/wanted"
    rendered "$man/b2s6.1" | words | LC_ALL=C sort -u >"$work/there"
    expect "every word of the help texts is in b2s6(1)" sh -c "! LC_ALL=C comm -23 '$work/wanted' '$work/there' | grep ."
    sed 's/^#.*//; s/B2S6_API//g; s/B2S6_CHECKED//g; s/^ \* b2s6\.h//' b2s6.h | grep -v '^/\* On functions whose status' | words |
        grep -vxE 'extern|C' | LC_ALL=C sort -u >"$work/wanted"
    rendered "$man/b2s6.3" | tr 'A-Z' 'a-z' | words | LC_ALL=C sort -u >"$work/there"
    tr 'A-Z' 'a-z' <"$work/wanted" | LC_ALL=C sort -u >"$work/lower"
    expect "every word of b2s6.h is in b2s6(3)" sh -c "! LC_ALL=C comm -23 '$work/lower' '$work/there' | grep ."
fi
if have mandoc; then
    for page in b2s6.1 b2s6.3; do
        mandoc -Tlint "$man/$page" 2>&1 | grep -v 'referenced manual not found' >"$work/warnings"
        expect "mandoc has no warning for $page" test ! -s "$work/warnings"
    done
fi

# ------------------------------------------------------------------------------------------------------------- completion
# Each shell is asked the same: a line, and what its last word becomes.
isas=$("$program" bench --isa list | sed 's/ .*//' | LC_ALL=C sort | tr '\n' ' ')
asked() { # asked FUNCTION: checks what FUNCTION, given the words of a line, prints
    same "$1: a verb" "$("$1" conv)" "convert "
    same "$1: all verbs" "$("$1" "")" "$(printf '%s\n' $verbs help version | LC_ALL=C sort | tr '\n' ' ')"
    same "$1: an option" "$("$1" convert --ty)" "--type "
    same "$1: types" "$("$1" convert --type q)" "q4 q8 "
    same "$1: states" "$("$1" convert a.safetensors --states "")" "compensated plain "
    same "$1: an option that only the usage names" "$("$1" run --ou)" "--out "
    same "$1: instruction sets" "$("$1" bench --isa "")" "$isas"
    same "$1: verbs for help" "$("$1" help deco)" "decompress "
    same "$1: another verb's option is none" "$("$1" info --chu)" ""
    mkdir -p "$work/files"
    : >"$work/files/model.b2s6"
    same "$1: a file" "$(cd "$work/files" && "$1" info mo)" "model.b2s6 "
}
sorted() { sed 's/ *$//' | grep . | LC_ALL=C sort | tr '\n' ' '; }
in_bash() {
    bash --norc -c 'source "$0"; COMP_WORDS=(b2s6 "$@"); COMP_CWORD=$#; compopt() { :; }; _b2s6 b2s6 "${@: -1}"
        [ ${#COMPREPLY[@]} -gt 0 ] || case $(complete -p b2s6) in *"-o default"*) COMPREPLY=($(compgen -f -- "${@: -1}")) ;; esac
        printf "%s\n" "${COMPREPLY[@]}"' "$man/b2s6.bash" "$@" | sorted
}
in_fish() {
    fish --no-config -c 'source $argv[1]; complete -C "b2s6 $argv[2..-1]"' "$man/b2s6.fish" "$@" | sed 's/	.*//' | sorted
}
# What compadd is given, in a zsh at a terminal of its own.
in_zsh() {
    LINE="b2s6 $*" FUNCTIONS=$man DUMP=$work/zcompdump zsh -f "$tests/complete_zsh.zsh" | sorted
}
if have bash; then
    asked in_bash
    same "in_bash: after an equals sign" "$(in_bash convert --type = q)" "q4 q8 "
fi
if have zsh; then asked in_zsh; fi
if have fish; then asked in_fish; fi

finish
