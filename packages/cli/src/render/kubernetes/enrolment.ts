/** What is applied to a cluster so that a controller of a Kalnet elsewhere runs there: the chart's own controller, with a token of its own. */
import { createHash } from 'node:crypto'
import type { ClusterChoice } from '@kalnet/contracts/cluster'
import { fail } from '@kalnet/contracts/errors'
import { OTHERS_RIGHTS } from '@kalnet/controller/platforms/kubernetes/rights'
import type { WriteManifest } from '@kalnet/server/controllers/routes'
import { stringify } from 'yaml'
import { OF_GATEWAYS } from './direct.ts'
import { type Manifest, manifests } from './objects.ts'
import { clusterValues } from './values.ts'

type Joining = Parameters<WriteManifest>[1]
interface Container {
  name: string
  args: string[]
  env: { name: string }[]
}
interface Found extends Manifest {
  metadata: Manifest['metadata'] & { labels?: Record<string, string> }
  rules?: object[]
  spec?: {
    template: {
      metadata: { annotations?: Record<string, string> }
      spec: { containers: Container[]; volumes: { name: string }[] }
    }
  }
}

const PART = 'app.kubernetes.io/component'
const RELEASE = 'kalnet'
const SECRET = 'kalnet-joining'
const ACCOUNT = `${RELEASE}-controller`

/** Which of Kalnet's objects a controller alone needs. */
const isNeeded = ({ kind, metadata }: Found) =>
  kind === 'Namespace' || ['controller', 'instances'].includes(metadata.labels?.[PART] ?? '')
/** Where it runs outside of the cluster: whose rights it has, and where its instances are. */
const isGround = ({ kind, metadata }: Found) =>
  /^(Namespace|ServiceAccount)$|Role|^ValidatingAdmission/.test(kind) ||
  metadata.labels?.[PART] === 'instances'

const secret = (namespace: string, name: string, rest: object): Found => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'kalnet', [PART]: 'controller' } },
  ...rest,
})

function joined(it: Found, choice: ClusterChoice, { name, url, token }: Joining): Found {
  // Of the account itself; beside it stands what is for namespaces of organisations.
  if (it.kind === 'ClusterRole' && it.metadata.name.endsWith(ACCOUNT) && choice.readPods) {
    const rules = OTHERS_RIGHTS.map(({ group, resource, verbs }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [...verbs],
    }))
    return { ...it, rules: [...(it.rules ?? []), ...rules] }
  }
  if (it.kind !== 'Deployment' || !it.spec) return it
  const { template } = it.spec
  const said: Record<string, string> = { '--join': url, '--name': name }
  const args = (container: Container) =>
    container.args.map((word, at) => said[container.args[at - 1] ?? ''] ?? word)
  // Another token is another start: whoever waits with an old one does not have to be looked for.
  const annotations = { 'kalnet.io/joining': createHash('sha256').update(token).digest('hex').slice(0, 16) }
  const home = { name: 'home', emptyDir: { sizeLimit: '1Gi' } }
  const spec = {
    ...template.spec,
    containers: template.spec.containers.map((one) => ({
      ...one,
      args: args(one),
      env: one.env.filter((it) => !OF_GATEWAYS.has(it.name)),
    })),
    volumes: template.spec.volumes.map((one) => (one.name === 'home' && !choice.keeps ? home : one)),
  }
  const metadata = { ...template.metadata, annotations }
  return { ...it, spec: { ...it.spec, template: { ...template, metadata, spec } } }
}

/** Throws request.invalid for what cannot be. */
export function enrolmentObjects(choice: ClusterChoice, joining: Joining): object[] {
  const { namespace } = choice
  const instances = choice.instances ?? `${namespace}-instances`
  if (instances === namespace)
    throw fail('request.invalid', { problem: 'instances need a namespace that is not the controller’s' })
  const { data, error } = clusterValues.safeParse({
    ...(choice.image && { image: choice.image }),
    authorityFingerprint: joining.fingerprint ?? '',
    secret: SECRET,
    controller: {
      enabled: true,
      readMachines: choice.readMachines || choice.readPods,
      registry: choice.registry ?? '',
      pullSecret: choice.pullSecret ?? '',
      storageClass: choice.storageClass ?? '',
    },
    instances: {
      namespace: instances,
      storageClass: choice.storageClass ?? '',
      perOrganisation: choice.perOrganisation,
    },
  })
  if (error) throw fail('request.invalid', { problem: error.issues[0]?.message ?? 'it cannot be written' })
  const all = (manifests(data, { name: RELEASE, namespace }) as Found[]).filter(isNeeded)
  if (choice.outside)
    return [
      ...all.filter(isGround).map((it) => joined(it, choice, joining)),
      secret(namespace, `${ACCOUNT}-token`, {
        type: 'kubernetes.io/service-account-token',
        metadata: {
          ...secret(namespace, `${ACCOUNT}-token`, {}).metadata,
          annotations: { 'kubernetes.io/service-account.name': ACCOUNT },
        },
      }),
    ]
  const needed = choice.keeps ? all : all.filter((it) => it.kind !== 'PersistentVolumeClaim')
  const token = secret(namespace, SECRET, { stringData: { 'controller-token': joining.token } })
  const at = needed.findIndex((it) => it.kind !== 'Namespace')
  return [...needed.slice(0, at), token, ...needed.slice(at)].map((it) => joined(it, choice, joining))
}

const HEAD = '# A controller of Kalnet for this cluster: kubectl apply -f <this file>\n'
const WORD =
  '# It holds a word that works once, within an hour: keep it to yourself, and nowhere afterwards.\n'

export function enrolmentFile(choice: ClusterChoice, joining: Joining): string {
  const documents = enrolmentObjects(choice, joining).map((it) =>
    stringify(it, { lineWidth: 0, aliasDuplicateObjects: false }),
  )
  return `${HEAD}${choice.outside ? '' : WORD}---\n${documents.join('---\n')}`
}
