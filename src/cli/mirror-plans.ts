import type { ClientPlan } from './client-plan.ts'

/** What makes a client ask this registry for images of others, under the names that they have there. */
export interface MirrorRequest {
  /** This registry, as `https://host`. */
  readonly url: URL
  /** What it caches. */
  readonly caches: readonly MirrorCache[]
  /** The token of a robot, `undefined` for pulls without credentials. */
  readonly token: string | undefined
  /** Whether a file is on this machine. */
  has(path: string): boolean
}

/** One rule, by the names of images. */
export interface MirrorCache {
  /** As image names have it, such as `docker.io` or `quay.io`. */
  readonly original: string
  /** What the repositories there begin with, without a slash at the end; empty for all. */
  readonly upstreamPrefix: string
  /** What they begin with here; empty where they have the same names. */
  readonly prefix: string
}

type Plan = (request: MirrorRequest) => ClientPlan

const SECRET = 0o600
const HUB = 'docker.io'
const serverOf = (original: string) => (original === HUB ? 'registry-1.docker.io' : original)
const originalsOf = ({ caches }: MirrorRequest) => [...new Set(caches.map(({ original }) => original))]
const closed = (token: string | undefined) => (token === undefined ? {} : { mode: SECRET })

const CONTAINERD: Plan = (request) => {
  const { url, token } = request
  const login = token === undefined ? '' : Buffer.from(`AWS:${token}`).toString('base64')
  const header = token === undefined ? '' : `\n  [host."${url.origin}".header]\n    authorization = "Basic ${login}"\n`
  return {
    files: originalsOf(request).map((original) => ({
      path: `/etc/containerd/certs.d/${original}/hosts.toml`,
      content: `server = "https://${serverOf(original)}"\n\n[host."${url.origin}"]\n  capabilities = ["pull", "resolve"]\n${header}`,
      ...closed(token),
    })),
    commands: [],
    notes: [
      'containerd reads them where its config.toml says config_path = "/etc/containerd/certs.d" (for Kubernetes in the registry section of the CRI plugin); nerdctl and ctr --hosts-dir do by themselves.',
    ],
  }
}

const DAEMON_FILE = '/etc/docker/daemon.json'

const DOCKER: Plan = (request) => {
  const { url, has } = request
  const settings = {
    'registry-mirrors': [url.origin],
    ...(url.protocol === 'http:' ? { 'insecure-registries': [url.host] } : {}),
  }
  const content = `${JSON.stringify(settings, null, 2)}\n`
  const notes = [
    `docker has mirrors of Docker Hub alone, and shows them no credentials: the server needs ECRU_MIRROR_HOSTS=${url.host} and ECRU_MIRROR_USER.`,
    'docker reads it when it is told to: systemctl reload docker.',
  ]
  if (!originalsOf(request).includes(HUB)) notes.unshift('There is no pull-through cache rule for Docker Hub yet.')
  if (has(DAEMON_FILE))
    return { files: [], commands: [], notes: [`${DAEMON_FILE} is there already; add to it:\n\n${content}`, ...notes] }
  return { files: [{ path: DAEMON_FILE, content }], commands: [], notes }
}

const PODMAN: Plan = ({ url, caches, token }) => {
  const tables = caches.map(({ original, upstreamPrefix, prefix }) => {
    const theirs = [original, upstreamPrefix].filter((part) => part !== '').join('/')
    const ours = [url.host, prefix].filter((part) => part !== '').join('/')
    const insecure = url.protocol === 'http:' ? 'insecure = true\n' : ''
    return `[[registry]]\nprefix = "${theirs}"\nlocation = "${theirs}"\n\n[[registry.mirror]]\nlocation = "${ours}"\n${insecure}`
  })
  const login =
    token === undefined ? 'podman shows credentials to mirrors: podman login' : 'Log in with the token: podman login'
  return {
    files: [{ path: '/etc/containers/registries.conf.d/ecru-mirror.conf', content: tables.join('\n') }],
    commands: [],
    notes: [`${login} --username AWS ${url.host}`, 'podman, buildah and skopeo read it at every call.'],
  }
}

const K3S_FILE = '/etc/rancher/k3s/registries.yaml'

const K3S: Plan = (request) => {
  const { url, token, has } = request
  const mirrors = originalsOf(request).map((original) => `  "${original}":\n    endpoint:\n      - "${url.origin}"\n`)
  const login =
    token === undefined
      ? ''
      : `configs:\n  "${url.host}":\n    auth:\n      username: AWS\n      password: ${JSON.stringify(token)}\n`
  const content = `mirrors:\n${mirrors.join('')}${login}`
  if (has(K3S_FILE))
    return {
      files: [],
      commands: [],
      notes: [`${K3S_FILE} is there already; add to it, and restart k3s:\n\n${content}`],
    }
  return {
    files: [{ path: K3S_FILE, content, ...closed(token) }],
    commands: [],
    notes: ['k3s reads it at its start: systemctl restart k3s (k3s-agent on other nodes).'],
  }
}

/** By the name of the client. */
export const MIRROR_PLANS = { containerd: CONTAINERD, docker: DOCKER, podman: PODMAN, k3s: K3S } as const

export type MirrorClient = keyof typeof MIRROR_PLANS
