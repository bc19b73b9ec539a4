# b2s6.3.awk - the man page b2s6(3) out of b2s6.h: awk -v version=0.2.0 -v date=2026-11-25 -f b2s6.3.awk b2s6.h
#
# A comment that begins a line is text: paragraphs, lists of "- ", and what is set in by four columns or more as it is. What stands
# between comments is code, as it is, without the lines that only a compiler needs. A comment of dashes and a title is a heading.

function plain(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    gsub(/`/, "\\(ga", text)
    gsub(/\^/, "\\(ha", text)
    gsub(/~/, "\\(ti", text)
    return text ~ /^[.]/ ? "\\&" text : text
}

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

function end_literal() { if (literal) print ".EE\n.in"; literal = 0 }

function begin_literal() {
    if (!literal)
        print (after_heading ? "" : ".PP\n") ".in +2n\n.EX"
    literal = 1
    waiting = after_heading = 0
}

# A row of code, and empty rows only between two others. Rows that a terminal would break are broken here, at a comma or a
# blank, and what follows is set in.
function code(text,    at) {
    if (text == "") { waiting = literal; return }
    if (waiting)
        print ""
    begin_literal()
    sub(/^                     +/, "        ", text) # as far as a prototype that goes on
    while (length(text) > 76) {
        for (at = 76; at > 20 && substr(text, at, 1) != " "; at--) { }
        print plain(substr(text, 1, at - 1))
        text = "        " substr(text, at + 1)
    }
    print plain(text)
}

# One line of a comment, without the comment's own marks. between: an empty line came before it.
function prose(text) {
    if (text == "") { end_literal(); between = 1; return }
    if (text ~ /^    /) { code(substr(text, 5)); between = 0; return }
    end_literal()
    if (text ~ /^- /) {
        print ".IP \\(bu 2"
        text = substr(text, 3)
    } else if (match(text, /^B2S6_[A-Z_]+   +|^0   +/)) { # a row of a small table
        print ".TP"
        print plain(trimmed(substr(text, 1, RLENGTH)))
        text = substr(text, RLENGTH + 1)
    } else if (between && !after_heading)
        print ".PP"
    between = after_heading = 0
    sub(/^ +/, "", text)
    write(plain(text))
}

# A comment of one line is told when it is known that what follows it is.
function tell(    text) {
    text = held
    held = ""
    if (text == "")
        return
    end_literal()
    between = 1
    prose(text)
}

function trimmed(text) { sub(/ +$/, "", text); return text }

BEGIN {
    print ".\\\" Made from b2s6.h: change nothing here."
    print ".TH B2S6 3 \"" date "\" \"libb2s6 " version "\" \"Library Functions\""
}

# The header's first comment: its first line is the name of the page.
NR == 2 {
    sub(/^ \* b2s6\.h - /, "")
    print ".SH NAME\nb2s6 \\- " plain($0)
    print ".SH SYNOPSIS\n.nf\n.B #include <b2s6.h>\n.PP\ncc host.c $(pkg\\-config \\-\\-cflags \\-\\-libs b2s6)\n.fi\n.SH DESCRIPTION"
    after_heading = 1
    next
}

/^\/\* -+ .* \*\/$/ {
    tell()
    end_literal()
    sub(/^\/\* -+ /, "")
    sub(/ \*\/$/, "")
    print ".SH " toupper(plain($0))
    waiting = between = 0
    after_heading = 1
    next
}
/^\/\* .*\*\/$/ { tell(); sub(/^\/\* /, ""); sub(/ *\*\/$/, ""); held = $0; next }
/^\/\*/ { tell(); inside = 1; between = 1; end_literal(); sub(/^\/\* ?/, ""); if ($0 != "") prose($0); next }
inside && /\*\/$/ { inside = 0; sub(/^ \* ?/, ""); sub(/ *\*\/$/, ""); if ($0 !~ /^ ?\/?$/) prose($0); next }
inside { sub(/^ \* ?/, ""); prose($0); next }

# What only a compiler needs; a choice between numbers or attributes is shown, that of the library's own marks is not.
/^#(include|ifndef B2S6_H$|define B2S6_H$|ifdef __cplusplus)/ { next }
/^(extern "C" \{|\})$/ { next }
depth == 0 && /^#endif/ { next }
/^#if/ { depth = 1; block = $0; next }
depth {
    block = block "\n" $0
    if ($0 !~ /^#endif/)
        next
    depth = 0
    if (block ~ /define B2S6_(API|CHECKED)/) {
        held = ""
        next
    }
    tell()
    n = split(block, lines, "\n")
    for (i = 1; i <= n; i++)
        code(lines[i])
    next
}
{ tell(); sub(/^B2S6_API (B2S6_CHECKED )?/, ""); code($0) }

END { tell(); end_literal(); print ".SH SEE ALSO\n.BR b2s6 (1)" }
