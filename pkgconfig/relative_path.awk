# relative_path.awk - the way from folder FROM to folder TO (environment): "/../lib" from /usr/bin to /usr/lib; nothing if they are one
#
# By the names alone: the folders need not be there yet.

function take_apart(path, parts,    names, n, i, count) {
    n = split(path, names, "/")
    count = 0
    for (i = 1; i <= n; i++) {
        if (names[i] == ".." && count > 0 && parts[count] != "..")
            count--
        else if (names[i] != "" && names[i] != ".")
            parts[++count] = names[i]
    }
    return count
}

BEGIN {
    n = take_apart(ENVIRON["FROM"], from)
    m = take_apart(ENVIRON["TO"], to)
    for (same = 1; same <= n && same <= m && from[same] == to[same]; )
        same++
    for (i = same; i <= n; i++)
        way = way "/.."
    for (i = same; i <= m; i++)
        way = way "/" to[i]
    print way
}
