/** A place in the tree: a directory has children, a link its target as written, a file what was said of it. */
interface Node<File> {
  children?: Map<string, Node<File>>
  link?: string | undefined
  file?: File | undefined
}

/** As Linux bounds them: a path that leads through more links leads nowhere. */
const MAX_LINKS = 40

/** What the layers of an image leave, as far as it was said: files by path, and symbolic links, through which paths lead. */
export class FileTree<File> {
  #root: Node<File> = {}
  /** What the present layer has taken away, by path. */
  #detached = new Map<string, Node<File>>()

  /** From here on, `before` also finds what is taken away. */
  beginLayer(): void {
    this.#detached = new Map()
  }

  /** Where a path really lies once links are followed, those at its end too if asked for; `undefined`: nowhere. */
  canonical(path: string, followsLast: boolean): string | undefined {
    const open = segmentsOf(path).reverse()
    const done: string[] = []
    const nodes: (Node<File> | undefined)[] = [this.#root]
    let links = 0
    for (let segment = open.pop(); segment !== undefined; segment = open.pop()) {
      if (segment === '..') {
        done.pop()
        if (nodes.length > 1) nodes.pop()
        continue
      }
      const node = nodes.at(-1)?.children?.get(segment)
      if (node?.link === undefined || (open.length === 0 && !followsLast)) {
        done.push(segment)
        nodes.push(node)
        continue
      }
      if (++links > MAX_LINKS) return undefined
      if (node.link.startsWith('/')) {
        done.length = 0
        nodes.length = 1
      }
      for (const next of segmentsOf(node.link).reverse()) open.push(next)
    }
    return done.join('/')
  }

  /** The file at a canonical path. */
  file(path: string): File | undefined {
    return this.#find(path)?.file
  }

  /** Whether anything is known at or below a canonical path. */
  has(path: string): boolean {
    return this.#find(path) !== undefined
  }

  /** The file that was at a canonical path before the present layer. */
  before(path: string): File | undefined {
    const present = this.file(path)
    if (present !== undefined || this.#detached.size === 0) return present
    const segments = segmentsOf(path)
    for (let length = segments.length; length >= 0; length--) {
      const detached = this.#detached.get(segments.slice(0, length).join('/'))
      const found = detached && descend(detached, segments.slice(length))
      if (found?.file !== undefined) return found.file
    }
    return undefined
  }

  /** Takes away what lies at a canonical path, and below it. */
  remove(path: string): void {
    const segments = segmentsOf(path)
    const last = segments.pop()
    if (last === undefined) return
    const parent = descend(this.#root, segments)
    const node = parent?.children?.get(last)
    if (node === undefined) return
    parent?.children?.delete(last)
    this.#detached.set(path, node)
  }

  /** Takes away what lies below a canonical path. */
  clear(path: string): void {
    const node = this.#find(path)
    if (node?.children === undefined) return
    this.#detached.set(path, { children: node.children })
    delete node.children
  }

  putFile(path: string, file: File): void {
    const node = this.#make(path)
    if (node.children !== undefined) this.clear(path)
    node.link = undefined
    node.file = file
  }

  putLink(path: string, target: string): void {
    this.remove(path)
    const node = this.#make(path)
    node.file = undefined
    node.link = target
  }

  /** All files, by canonical path. */
  *files(): Generator<readonly [path: string, file: File]> {
    const open: (readonly [string, Node<File>])[] = [['', this.#root]]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [path, { file, children }] = next
      if (file !== undefined) yield [path, file]
      for (const [name, child] of children ?? []) open.push([path === '' ? name : `${path}/${name}`, child])
    }
  }

  #find(path: string): Node<File> | undefined {
    return descend(this.#root, segmentsOf(path))
  }

  #make(path: string): Node<File> {
    let node = this.#root
    for (const segment of segmentsOf(path)) {
      // What was a file or a link is a directory from now on.
      node.file = undefined
      node.link = undefined
      node.children ??= new Map()
      let child = node.children.get(segment)
      if (child === undefined) {
        child = {}
        node.children.set(segment, child)
      }
      node = child
    }
    return node
  }
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '' && segment !== '.')
}

function descend<File>(from: Node<File>, segments: readonly string[]): Node<File> | undefined {
  let node: Node<File> | undefined = from
  for (const segment of segments) node = node?.children?.get(segment)
  return node
}
