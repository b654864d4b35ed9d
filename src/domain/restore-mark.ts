/** The file that is in a data directory while a backup is being restored into it: nothing is to be served from it then. */
export const RESTORE_MARK = 'restoring.json'
