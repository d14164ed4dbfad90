
# Values that only the project knows: revisions, environments, templates, codes.
_migrator_values() {
    local -a line values
    line=("${(@Q)${(z)LBUFFER}}")
    [[ $LBUFFER == *[[:space:]] ]] && line+=('')
    line=("${(@)line[${line[(I)(|*/)migrator]},-1]}")
    values=("${(@f)$("$line[1]" __complete "${(@)line[2,-1]}" 2>/dev/null)}")
    if [[ -n $values[1] ]]; then
        values=("${(@)values/$'\t'/:}")
        _describe -V value values
    else
        _default
    fi
}
