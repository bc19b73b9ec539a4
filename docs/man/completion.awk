# completion.awk - what the shells complete for b2s6, out of the help texts: awk -v shell=bash -f completion.awk FILE
#
# FILE is what help_texts.awk writes; shell is bash, zsh or fish. Options are those of the usage and of the items below it; what
# they take is told by the name in capitals after them, and by the items that are set in below an option.

function is_file(value) { return value ~ /FILE|LIB|\.[a-z0-9]+$/ }

# An option that has been seen, with the name of its value, "" if it takes none.
function note(name, value) {
    if (!((verb, name) in value_of)) {
        options[verb] = options[verb] (options[verb] == "" ? "" : " ") name
        value_of[verb, name] = value
    }
}

function take_usage(text,    words, n, i, value) {
    gsub(/[][|]|[.][.][.]/, " ", text)
    n = split(text, words, " ")
    for (i = 1; i <= n; i++)
        if (words[i] ~ /^--?[a-z]/) {
            value = words[i + 1] ~ /^[A-Z]/ ? words[i + 1] : ""
            if (words[i + 1] == "list") # `--isa list`: the option has its value elsewhere
                continue
            note(words[i], value)
        }
}

# An item: "  --type TYPE   how matrices are stored", or "     q8   integers" below it.
function take_item(text,    column, name) {
    match(text, /^ */)
    column = RLENGTH
    text = substr(text, column + 1)
    if (match(text, /^--?[a-z][a-z-]*/)) {
        name = substr(text, 1, RLENGTH)
        text = substr(text, RLENGTH + 1)
        option = name
        option_column = column
        if (match(text, /^ [A-Z][A-Z0-9=_.]*/)) {
            note(name, substr(text, 2, RLENGTH - 1))
            text = substr(text, RLENGTH + 1)
        } else
            note(name, "")
        sub(/^ +/, "", text)
        sub(/ *[;:.(,].*/, "", text)
        described[verb, name] = text
    } else if (option != "" && column > option_column && match(text, /^[a-z0-9_]+   */)) {
        name = substr(text, 1, RLENGTH)
        sub(/ +$/, "", name)
        values[verb, option] = values[verb, option] (values[verb, option] == "" ? "" : " ") name
    }
}

/^verb / { verb = $2; verbs = verbs (verbs == "" ? "" : " ") verb; option = ""; usage = 0 }
/^summary / { summary[verb] = substr($0, 9) }
/^text usage: / { usage = 1 }
/^text ?$/ { usage = 0; option = "" }
/^text / { if (usage) take_usage(substr($0, 6)); else if ($0 ~ /^text  /) take_item(substr($0, 6)) }

# ------------------------------------------------------------------------------------------------------------------- bash

function bash_case(v, o) {
    if (values[v, o] != "")
        return "words='" values[v, o] "'"
    if (o == "--isa")
        return "words=$(\"${COMP_WORDS[0]}\" bench --isa list 2>/dev/null | sed 's/ .*//')"
    return is_file(value_of[v, o]) ? "return" : "compopt +o default +o bashdefault; return"
}

function bash(    n, list, i, m, names, j) {
    print "# bash completion for b2s6. Made from the program's help texts: change nothing here."
    print "_b2s6() {"
    print "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words="
    print "    COMPREPLY=()"
    print "    # --type=q8 is three words here"
    print "    if [ \"$current\" = = ]; then current=; elif [ \"$previous\" = = ]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi"
    print "    case $COMP_CWORD:${COMP_WORDS[1]}:$previous in"
    print "        1:*) words='" verbs " help version' ;;"
    print "        2:help:*) words='" verbs "' ;;"
    n = split(verbs, list, " ")
    for (i = 1; i <= n; i++) {
        m = split(options[list[i]], names, " ")
        for (j = 1; j <= m; j++)
            if (value_of[list[i], names[j]] != "")
                print "        *:" list[i] ":" names[j] ") " bash_case(list[i], names[j]) " ;;"
    }
    print "        *) case $current in"
    print "            -*) case ${COMP_WORDS[1]} in"
    for (i = 1; i <= n; i++)
        print "                " list[i] ") words='" options[list[i]] " --help' ;;"
    print "            esac ;;\n        esac ;;\n    esac"
    print "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}"
    print "complete -o bashdefault -o default -F _b2s6 b2s6"
}

# -------------------------------------------------------------------------------------------------------------------- zsh

function zsh_text(text) {
    gsub(/'/, "’", text)
    gsub(/\\/, "\\\\", text)
    gsub(/:/, "\\:", text)
    gsub(/\[/, "\\[", text)
    gsub(/\]/, "\\]", text)
    return text
}

function zsh_spec(v, o,    value, action) {
    value = value_of[v, o]
    if (value == "")
        return "'" o "[" zsh_text(described[v, o]) "]'"
    action = values[v, o] != "" ? "(" values[v, o] ")" : o == "--isa" ? "_b2s6_isa" : is_file(value) ? "_files" : " "
    return "'*" o "[" zsh_text(described[v, o]) "]:" zsh_text(value) ":" action "'"
}

function zsh(    n, list, i, m, names, j) {
    print "#compdef b2s6"
    print "# Made from the program's help texts: change nothing here."
    print "_b2s6_isa() { compadd -- ${${(f)\"$(b2s6 bench --isa list 2>/dev/null)\"}%% *} }"
    print "_b2s6_verb() {\n    local -a verbs=("
    n = split(verbs, list, " ")
    for (i = 1; i <= n; i++)
        print "        '" list[i] ":" zsh_text(summary[list[i]]) "'"
    print "        'help:what the program, or a verb, takes'\n        'version:the version of the program and its library'"
    print "    )\n    _describe verb verbs\n}"
    print "_b2s6() {\n    local context state line"
    print "    if (( CURRENT == 2 )); then _b2s6_verb; return; fi"
    print "    local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $verb in"
    print "        help) (( CURRENT == 2 )) && _b2s6_verb ;;"
    for (i = 1; i <= n; i++) {
        printf "        %s) _arguments", list[i]
        m = split(options[list[i]], names, " ")
        for (j = 1; j <= m; j++)
            printf " \\\n            %s", zsh_spec(list[i], names[j])
        print " \\\n            '--help[what it takes]' '*:file:_files' ;;"
    }
    print "    esac\n}"
    print "if [ \"$funcstack[1]\" = _b2s6 ]; then _b2s6 \"$@\"; else compdef _b2s6 b2s6; fi"
}

# ------------------------------------------------------------------------------------------------------------------- fish

function fish_text(text) {
    gsub(/\\/, "\\\\", text)
    gsub(/'/, "\\'", text)
    return "'" text "'"
}

function fish_option(v, o,    line, value) {
    line = "complete -c b2s6 -n '__fish_seen_subcommand_from " v "'"
    line = line (o ~ /^--/ ? " -l " substr(o, 3) : " -s " substr(o, 2))
    value = value_of[v, o]
    if (values[v, o] != "")
        line = line " -x -a '" values[v, o] "'"
    else if (o == "--isa")
        line = line " -x -a \"(b2s6 bench --isa list 2>/dev/null | string replace -r ' .*' '')\""
    else if (value != "")
        line = line (is_file(value) ? " -r -F" : " -x")
    return line (described[v, o] != "" ? " -d " fish_text(described[v, o]) : "")
}

function fish(    n, list, i, m, names, j, none) {
    print "# fish completion for b2s6. Made from the program's help texts: change nothing here."
    n = split(verbs, list, " ")
    none = "-n 'not __fish_seen_subcommand_from " verbs " help version'"
    for (i = 1; i <= n; i++)
        print "complete -c b2s6 " none " -f -a " list[i] " -d " fish_text(summary[list[i]])
    print "complete -c b2s6 " none " -f -a help -d 'what the program, or a verb, takes'"
    print "complete -c b2s6 " none " -f -a version -d 'the version of the program and its library'"
    print "complete -c b2s6 -n '__fish_seen_subcommand_from help' -f -a '" verbs "'"
    for (i = 1; i <= n; i++) {
        m = split(options[list[i]], names, " ")
        for (j = 1; j <= m; j++)
            print fish_option(list[i], names[j])
    }
}

END {
    if (shell == "bash")
        bash()
    else if (shell == "zsh")
        zsh()
    else if (shell == "fish")
        fish()
    else {
        print "completion.awk: -v shell=bash, zsh or fish" | "cat >&2"
        exit 1
    }
}
