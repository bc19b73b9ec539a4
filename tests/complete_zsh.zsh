# complete_zsh.zsh - what zsh would complete at the end of $LINE, one a line, with the function in the folder $FUNCTIONS
#
# $DUMP is where zsh may keep what functions it has found. A second zsh runs at a terminal of its own; there a widget calls the completion with a compadd that writes down what matches.

zmodload zsh/zpty
result=$(mktemp)
setup=$(mktemp)
cat >$setup <<'SETUP'
fpath=($FUNCTIONS $fpath)
autoload -Uz compinit
compinit -u -d $DUMP
compadd() {
    local -a found
    if [[ ${@[(I)-[OAD]]} -gt 0 ]]; then
        builtin compadd "$@"
        return
    fi
    builtin compadd -O found "$@"
    (( $#found )) && print -rl -- $found >>$RESULT
    builtin compadd "$@"
}
ask() { _main_complete; print -r -- DONE >>$RESULT; }
zle -C ask complete-word ask
bindkey '^X^A' ask
PS1='ready> '
SETUP
export RESULT=$result
zpty z zsh -f -i
zpty -w z "source $setup; clear"
sleep 0.3
while zpty -rt z >/dev/null; do :; done
zpty -wn z "$LINE"$'\x18\x01'
repeat 100; do
    grep -qx DONE $result && break
    sleep 0.05
    zpty -rt z >/dev/null
done
zpty -d z
grep -vx DONE $result
rm -f $result $setup
