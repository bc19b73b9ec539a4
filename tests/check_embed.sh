#!/bin/sh
# b2s6 embed: the C array is the file, the macros are the library's figures, and what does not fit does not compile.
#   check_embed.sh PROGRAM LIBRARY FOLDER        FOLDER is this one; CC compiles
. "$(dirname "$0")/checks.sh"
program=$1 library=$2 tests=$3
root=$tests/..

compiles() { # compiles ARGUMENTS...: a strict compilation of what lies in the work folder
    "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -I"$work/include" -I"$root" -I"$work" "$@" >"$work/out" 2>&1
}

refuses() { # refuses WHAT TEXT ARGUMENTS...: the compilation fails, with TEXT
    what=$1 text=$2
    shift 2
    ! compiles -fsyntax-only "$@" && grep -q "$text" "$work/out"
    report $? "$what compiles, or fails without '$text'"
}

# ------------------------------------------------------------- every kind of model: the same bytes, the library's figures
for case in b2s6-s4 b2s6-mamba b2s6-features b2s6-bidirectional-mean s4d; do
    "$program" convert "$tests/cases/$case/model.safetensors" "$work/$case.b2s6" >/dev/null &&
        "$program" embed "$work/$case.b2s6" "$work/other-name.c" --name it --steps 100 &&
        mv "$work/other-name.h" "$work/it.h" && sed 's/other-name/it/' "$work/other-name.c" >"$work/it.c" &&
        compiles -o "$work/probe" "$tests/embed/probe.c" "$work/it.c" "$library" -lm &&
        "$work/probe" "$work/$case.b2s6" >"$work/out"
    report $? "$case: $(head -n 1 "$work/out")"
done

for type in f16 q8 q4; do
    "$program" convert "$tests/cases/b2s6-s4/model.safetensors" "$work/$type.b2s6" --type $type >/dev/null &&
        "$program" embed "$work/$type.b2s6" "$work/it.c" --steps 100 &&
        compiles -o "$work/probe" "$tests/embed/probe.c" "$work/it.c" "$library" -lm && "$work/probe" "$work/$type.b2s6" >"$work/out"
    report $? "$type: $(head -n 1 "$work/out")"
    case $type in f16) none="-DB2S6_NO_Q8 -DB2S6_NO_Q4" ;; q8) none="-DB2S6_NO_F16 -DB2S6_NO_Q4" ;; q4) none=-DB2S6_NO_F16 ;; esac
    compiles -fsyntax-only $none "$work/it.c"
    report $? "$type does not compile without the other types"
    refuses "$type where it is left out" "without a part" -DB2S6_NO_$(echo $type | tr fq FQ) "$work/it.c"
done
refuses "q4 without q8, which its B and C are" "without a part" -DB2S6_NO_Q8 "$work/it.c"

# ---------------------------------------------------------------------------------------------- what does not fit
"$program" embed "$work/b2s6-s4.b2s6" "$work/2nd-model.c" && grep -q 'const unsigned char _nd_model_model\[' "$work/2nd-model.c"
report $? "a file's name does not become an identifier"
"$program" embed "$work/b2s6-s4.b2s6" "$work/it.c"
report $? "embed"
compiles -c -o "$work/it.o" "$work/it.c"
report $? "the plain case does not compile: $(head -n 1 "$work/out")"
for switch in S4 NORM_LAYER COMPLEX; do
    refuses "a model that B2S6_NO_$switch leaves out" "without a part" -DB2S6_NO_$switch "$work/it.c"
done
mkdir "$work/include"
sed 's/define B2S6_VERSION_MINOR .*/define B2S6_VERSION_MINOR 99/' "$root/b2s6.h" >"$work/include/b2s6.h"
refuses "a model beside another version of the library" "run b2s6 embed" "$work/it.c"
rm -r "$work/include"
sed -i.old 's/_SIZE 16192u/_SIZE 16191u/' "$work/it.h"
refuses "an array longer than its header says" "excess elements" "$work/it.c"

# ---------------------------------------------------------------------------------------------- usage and bad files
fails 2 "arguments are missing" embed
fails 2 "does not end in .c" embed "$work/b2s6-s4.b2s6" "$work/out.h"
fails 2 "no name for a header" embed "$work/b2s6-s4.b2s6" "$work/a b.c"
fails 2 "not a name in C" embed "$work/b2s6-s4.b2s6" "$work/x.c" --name 'a-b'
fails 2 "not a name in C" embed "$work/b2s6-s4.b2s6" "$work/x.c" --name ''
fails 2 "must be a number" embed "$work/b2s6-s4.b2s6" "$work/x.c" --steps 0
fails 2 "must be a number" embed "$work/b2s6-s4.b2s6" "$work/x.c" --steps 1x
fails 2 "must be a number" embed "$work/b2s6-s4.b2s6" "$work/x.c" --steps 99999999999999999999
fails 1 "none.b2s6: No such file or directory" embed "$work/none.b2s6" "$work/x.c"
fails 1 "not a .b2s6 file" embed "$tests/check_embed.sh" "$work/x.c"
fails 1 "" embed "$work/b2s6-s4.b2s6" "$work/no/such/folder/x.c"
test ! -e "$work/x.c" && test ! -e "$work/x.h"
report $? "a failed embed leaves files"

finish
