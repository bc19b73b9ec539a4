# help_texts.awk - the help texts of the program b2s6 as lines, out of its sources: for the man page and the completion
#
#     awk -f help_texts.awk examples/cli/main.c examples/cli/verb_*.c
#
# Writes for each verb, in the order of main.c's table,
#
#     verb NAME
#     summary TEXT
#     text TEXT        each line of what `b2s6 help NAME` prints
#
# It reads three forms: the table `... verbs[] = { &verb_NAME, ... };`, texts `static const char NAME[] = "..." ...;`, and
# `const cli_verb verb_NAME = { "NAME", "SUMMARY", HELP, RUN };`, on one line or more. A verb without its text is an error.

# The strings of this C text one after the other; escapes are undone.
function strings_of(c,    text) {
    text = ""
    while (match(c, /"([^"\\]|\\.)*"/)) {
        text = text substr(c, RSTART + 1, RLENGTH - 2)
        c = substr(c, RSTART + RLENGTH)
    }
    gsub(/\\n/, "\n", text)
    gsub(/\\"/, "\"", text)
    gsub(/\\\\/, "\\", text)
    return text
}

function take_table(c,    n, parts, i) {
    n = split(c, parts, /&verb_/)
    for (i = 2; i <= n; i++) {
        sub(/[^a-z0-9_].*/, "", parts[i])
        order[++n_verbs] = parts[i]
    }
}

function take_verb(c,    rest, quoted) {
    match(c, /"[a-z0-9-]*"/)
    name = substr(c, RSTART + 1, RLENGTH - 2)
    rest = substr(c, RSTART + RLENGTH)
    match(rest, /"([^"\\]|\\.)*"/)
    quoted = substr(rest, RSTART, RLENGTH)
    rest = substr(rest, RSTART + RLENGTH)
    summary[name] = strings_of(quoted)
    match(rest, /[a-z_][a-z0-9_]*/)
    help[name] = texts[FILENAME, substr(rest, RSTART, RLENGTH)]
}

# A declaration may take several lines: it is whole at the ';' that ends one of them.
collecting == "" && /^static const cli_verb .*verbs\[\] = / { collecting = "table"; found = "" }
collecting == "" && /^static const char [a-z_]+\[\] =/ {
    collecting = "text"
    found = ""
    text_name = $0
    sub(/^static const char /, "", text_name)
    sub(/\[.*/, "", text_name)
}
collecting == "" && /^const cli_verb verb_[a-z_]+ = \{/ { collecting = "verb"; found = "" }
collecting != "" {
    found = found $0 "\n"
    if ($0 !~ /;[ \t]*$/)
        next
    if (collecting == "table")
        take_table(found)
    else if (collecting == "text")
        texts[FILENAME, text_name] = strings_of(found)
    else
        take_verb(found)
    collecting = ""
}

END {
    for (i = 1; i <= n_verbs; i++) {
        name = order[i]
        if (help[name] == "" || summary[name] == "") {
            print "help_texts.awk: no help text was found for the verb " name | "cat >&2"
            exit 1
        }
        print "verb " name
        print "summary " summary[name]
        n = split(help[name], lines, "\n")
        for (j = 1; j < n; j++)
            print "text " lines[j]
    }
    if (n_verbs == 0) {
        print "help_texts.awk: no table of verbs was found" | "cat >&2"
        exit 1
    }
}
