// Stands in for Alpine's sort plugin: no list here is put in order by dragging.
