# The entries and errors of $revision, the first and the last, and the errors of each minute; reads raw lines.
[ inputs
  | fromjson?
  | objects
  | select(.resource.labels.revision_name? == $revision)
  | [.logName, .insertId, (.timestamp | rtrimstr("Z")),
     (.severity | . == "ERROR" or . == "CRITICAL" or . == "ALERT" or . == "EMERGENCY")]
]
| unique
| [.[] | select(.[3]) | .[2][:16]] as $errors
| {
    entries: length,
    errors: ($errors | length),
    first: (map(.[2]) | min),
    last: (map(.[2]) | max),
    errors_per_minute: ($errors | group_by(.) | map({key: .[0], value: length}) | from_entries)
  }
