import type { ClientPlan } from './client-plan.ts'

/** For whom: the authority (PEM), the registry's host with its port if it is not 443, and what is known of the machine. */
export interface TrustRequest {
  readonly authority: string
  readonly hosts: readonly string[]
  readonly isRoot: boolean
  readonly home: string
  /** Whether a file is on this machine. */
  has(path: string): boolean
}

const DOCKER: Plan = ({ hosts, authority }) => ({
  files: hosts.map((host) => ({ path: `/etc/docker/certs.d/${host}/ca.crt`, content: authority })),
  commands: [],
  notes: ['docker looks there at every request: no restart is needed.'],
})

const PODMAN: Plan = ({ hosts, authority, isRoot, home }) => {
  const directory = isRoot ? '/etc/containers/certs.d' : `${home}/.config/containers/certs.d`
  return {
    files: hosts.map((host) => ({ path: `${directory}/${host}/ca.crt`, content: authority })),
    commands: [],
    notes: ['podman, buildah and skopeo look there.'],
  }
}

const CONTAINERD: Plan = ({ hosts, authority }) => ({
  files: hosts.flatMap((host) => {
    const directory = `/etc/containerd/certs.d/${host}`
    const table = `server = "https://${host}"\n\n[host."https://${host}"]\n  ca = "${directory}/ca.crt"\n`
    return [
      { path: `${directory}/ca.crt`, content: authority },
      { path: `${directory}/hosts.toml`, content: table },
    ]
  }),
  commands: [],
  notes: [
    'containerd reads them where its config.toml says config_path = "/etc/containerd/certs.d" (for Kubernetes in the registry section of the CRI plugin); nerdctl and ctr --hosts-dir do by themselves.',
  ],
})

const K3S_FILE = '/etc/rancher/k3s/registries.yaml'

const K3S: Plan = ({ hosts, authority, has }) => {
  const ca = '/etc/rancher/k3s/ecru-ca.crt'
  const entries = hosts.map((host) => `  "${host}":\n    tls:\n      ca_file: ${ca}\n`).join('')
  const registries = `configs:\n${entries}`
  const files = [{ path: ca, content: authority }]
  if (has(K3S_FILE))
    return {
      files,
      commands: [],
      notes: [`${K3S_FILE} is there already; add to it, and restart k3s:\n\n${registries}`],
    }
  return {
    files: [...files, { path: K3S_FILE, content: registries }],
    commands: [],
    notes: ['k3s reads it at its start: systemctl restart k3s (k3s-agent on other nodes).'],
  }
}

const SYSTEM: Plan = ({ authority, has }) => {
  const isRedHat = has('/etc/pki/ca-trust/source/anchors')
  const path = isRedHat ? '/etc/pki/ca-trust/source/anchors/ecru.crt' : '/usr/local/share/ca-certificates/ecru.crt'
  return {
    files: [{ path, content: authority }],
    commands: [isRedHat ? ['update-ca-trust'] : ['update-ca-certificates']],
    notes: [
      `The AWS CLI, boto3 and Node.js bring their own list of authorities: set AWS_CA_BUNDLE and NODE_EXTRA_CA_CERTS to ${path} for them.`,
      'docker and containerd have to be restarted to see it.',
    ],
  }
}

/** What makes a client trust a certificate authority. */
type Plan = (request: TrustRequest) => ClientPlan

/** By the name of the client. */
export const TRUST_PLANS = { docker: DOCKER, podman: PODMAN, containerd: CONTAINERD, k3s: K3S, system: SYSTEM } as const

export type TrustingClient = keyof typeof TRUST_PLANS
