# Values that only the project knows: revisions, environments, templates, codes.
function __migrator_values
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c migrator -f -n 'count (__migrator_values) >/dev/null' -a '(__migrator_values)'
