/** Where in an input a member stands; links instead of text, since only refusals need the text. */
export interface Path {
  readonly parent: Path | undefined
  readonly name: string
}

/** Members that a service's error texts spell in their own way. */
export type Spelling = Readonly<Record<string, string>>

/** `tags.1.member.key`: members in camelCase, list entries counted from one. */
export function printPath(path: Path | undefined, spelling: Spelling): string {
  if (path === undefined) return ''
  const name = spelling[path.name] ?? path.name.charAt(0).toLowerCase() + path.name.slice(1)
  return path.parent === undefined ? name : `${printPath(path.parent, spelling)}.${name}`
}
