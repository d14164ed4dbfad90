# Values that only the project knows: revisions, environments, templates, codes.
_migrator_or_values() {
    _migrator "$@"
    local line
    local -a values=()
    while IFS= read -r line; do
        values+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if ((${#values[@]})); then
        COMPREPLY=("${values[@]}")
    fi
}

