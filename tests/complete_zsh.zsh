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
zle-line-init() { print -r -- READY >>$RESULT }
zle -N zle-line-init
SETUP
export RESULT=$result
zpty z zsh -f -i
zpty -w z "source $setup"

# A minute for what takes a tenth of a second: the machine may be busy with other work.
wait_for() {
    repeat 1200; do
        grep -qx $1 $result && return
        sleep 0.05
        zpty -rt z >/dev/null
    done
    print -ru2 -- "complete_zsh.zsh: no $1 from zsh"
}
wait_for READY # the editor, with the setup read: what was typed before could be lost
zpty -wn z "$LINE"$'\x18\x01'
wait_for DONE
zpty -d z
grep -vxE 'READY|DONE' $result
rm -f $result $setup
