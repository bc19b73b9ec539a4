# b2s6.1.awk - the man page b2s6(1) out of the help texts: awk -v version=0.2.0 -v date=2026-11-25 -f b2s6.1.awk FILE
#
# FILE is what help_texts.awk writes. A help text is read as people read it: usage at the top; a line that begins with an
# option, or with words and two blanks after them, is an item; what is below an item's text goes on with it.

# A line of text, broken where it is longer than a man page's source should be.
function write(text,    at) {
    while (length(text) > 79) {
        for (at = 79; at > 1 && substr(text, at, 1) != " "; at--) { }
        if (at == 1)
            break
        print substr(text, 1, at - 1)
        text = substr(text, at + 1)
        if (text ~ /^[.]/)
            text = "\\&" text
    }
    print text
}

# Text that troff takes as it is.
function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/`/, "\\(ga", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    return text ~ /^[.]/ ? "\\&" text : text
}

# What stands between backquotes is typed: bold.
function line_of(text,    n, parts, i, result) {
    n = split(text, parts, "`")
    if (n % 2 == 0)
        return plain(text)
    result = plain(parts[1])
    for (i = 2; i <= n; i++)
        result = result (i % 2 == 0 ? "\\fB" plain(parts[i]) "\\fR" : plain_inside(parts[i]))
    return result
}

function plain_inside(text) {
    text = plain(text)
    sub(/^\\&/, "", text)
    return text
}

# Options and names of programs bold, what a user puts in (in capitals) italic.
function typed(text,    words, n, i, result, word, head, tail) {
    n = split(text, words, " ")
    result = ""
    for (i = 1; i <= n; i++) {
        word = words[i]
        head = tail = ""
        while (match(word, /^[[]/)) { head = head "["; word = substr(word, 2) }
        while (match(word, /([]]|[.][.][.])$/)) { tail = substr(word, RSTART) tail; word = substr(word, 1, RSTART - 1) }
        result = result (i > 1 ? " " : "") head (word ~ /^[A-Z]/ ? "\\fI" : "\\fB") plain(word) "\\fR" tail
    }
    return result
}

function blanks(text) { match(text, /^ */); return RLENGTH }

# Splits the line of an item into term and rest. An option has at most one value after it; other terms end at two blanks.
function is_item(text) {
    sub(/^ +/, "", text)
    if (match(text, /^--?[a-z][a-z-]*( [A-Z][A-Z0-9=_.]*)? +/) || match(text, /^--?[a-z][a-z-]*( [A-Z][A-Z0-9=_.]*)?$/)) {
        term = substr(text, 1, RLENGTH)
        rest = substr(text, RLENGTH + 1)
    } else if (match(text, /^[^ ]+( [^ ]+)*   */)) {
        term = substr(text, 1, RLENGTH)
        rest = substr(text, RLENGTH + 1)
    } else
        return 0
    sub(/ +$/, "", term)
    return rest != "" || term ~ /^-/
}

function leave(depth) {
    while (level > depth) { print ".RE"; level-- }
}


# A line of the text of a verb, after the usage. in_list: an item has begun; item_column: where its line begins.
function body(text,    column) {
    if (text == "") { leave(0); in_list = 0; between = 1; return }
    column = blanks(text)
    if (column > 0 && is_item(text)) {
        if (in_list && column > item_column && level == 0) { print ".RS"; level = 1; outer = item_column }
        else if (level == 1 && column <= outer) leave(0)
        print ".TP"
        print typed(term)
        write(line_of(rest))
        in_list = 1
        between = 0
        item_column = column
        return
    }
    sub(/^ +/, "", text)
    if (between)
        print ".PP"
    between = 0
    write(line_of(text))
}

BEGIN {
    print ".\\\" Made from the help texts of the program: change nothing here."
    print ".TH B2S6 1 \"" date "\" \"b2s6 " version "\" \"User Commands\""
    print ".SH NAME\nb2s6 \\- run, convert and measure state\\-space sequence models"
    print ".SH SYNOPSIS\n.B b2s6\n.I VERB\n[\\fIARGUMENTS\\fR]\n.br\n.B b2s6 help\n[\\fIVERB\\fR]\n.br\n.B b2s6 version"
    print ".SH DESCRIPTION\nRuns trained models of the B2S6 family (B2S6, S6, S4D) from .b2s6 files,"
    print "with the same bits on every machine."
    print "The text of each verb below is what"
    print ".B b2s6 help\n.I VERB\nprints."
    print ".SH VERBS"
}

/^verb / { leave(0); verb = $2; in_list = usage = between = 0 }
/^summary / { print ".SS " plain(verb) " \\- " plain(substr($0, 9)) }
/^text usage: / { usage = 1 }
/^text/ {
    text = substr($0, 6)
    if (usage && text == "") { usage = 0; between = 1; next }
    if (usage) {
        if (text ~ /^(usage: |  *b2s6 )/) {
            sub(/^(usage:)? */, "", text)
            if (text_before == verb)
                print ".br"
            write(typed(text))
            text_before = verb
        } else {
            sub(/^ +/, "", text)
            write(typed(text))
        }
        next
    }
    body(text)
}

END {
    leave(0)
    print ".SH EXIT STATUS\n0 if all went well, 1 if something failed, 2 if the arguments are wrong."
    print "An error is one line on standard error."
    print ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nIf set, no colours.\n.TP\n.B TERM\nIf dumb, no colours and no progress bars."
    print ".SH SEE ALSO\n.BR b2s6 (3)"
}
