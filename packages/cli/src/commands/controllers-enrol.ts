/** `kalnet controllers enrol`: the line for another machine, or with `--platform kubernetes` the manifest for a cluster. */
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ClusterChoice } from '@kalnet/contracts/cluster'
import { controllerRoutes } from '@kalnet/contracts/controller'
import { writeWhole } from '@kalnet/io/files'
import { readFingerprint } from '@kalnet/server/core/tls'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { usage } from '../problem.ts'

interface Flags {
  platform?: string
  out?: string
  namespace?: string
  instances?: string
  image?: string
  url?: string
  registry?: string
  pullSecret?: string
  storageClass?: string
  volume: boolean
  machines: boolean
  readPods?: boolean
  perOrganisation?: boolean
  outside?: boolean
}

const EXAMPLES = `
For a cluster the manifest alone is on standard output; what there is to know is on standard error.
The token in it works once, within an hour. The controller then has a key of its own, on its volume.

Examples:
  kalnet controllers enrol attic                                         the line to run on that machine
  kalnet controllers enrol cluster --platform kubernetes \\
    --image registry.example.com/kalnet/kalnet@sha256:… \\
    --registry https://registry.example.com/kalnet | kubectl apply -f -   a controller in the cluster
  kalnet controllers enrol cluster --platform kubernetes \\
    --per-organisation | kubectl apply -f -                               each household or team apart, with a share of its own
  kalnet controllers enrol cluster --platform kubernetes --out cluster    writes cluster/controller.yaml
  kalnet controllers enrol cluster --platform kubernetes --outside        its account and rights, for one that runs elsewhere`

export function addEnrol(controllers: Command, context: () => Context): void {
  controllers
    .command('enrol')
    .description('add a machine or a cluster: print what to run there, or apply to it, once')
    .argument('<name>', 'what to call it')
    .option('--platform <platform>', 'kubernetes: a cluster')
    .option('--out <folder>', 'write the manifest there instead of printing it')
    .option('--namespace <name>', 'of the controller in the cluster (kalnet)')
    .option('--instances <name>', 'namespace of what it runs (its own, with -instances)')
    .option('--image <image>', 'Kalnet’s image, as the cluster gets it')
    .option('--url <url>', 'the control plane, as the cluster reaches it')
    .option('--registry <url>', 'where the cluster gets images of sessions and services from')
    .option('--pull-secret <name>', 'Secret that its machines sign in there with')
    .option('--storage-class <name>', 'of volumes')
    .option('--no-volume', 'its key goes with its pod: it has to be enrolled again then')
    .option('--no-machines', 'without the right to read machines: room is not known')
    .option('--read-pods', 'with the right to read all pods: what is really free is known')
    .option(
      '--per-organisation',
      'each organisation in a namespace of its own, which the controller makes (Kubernetes 1.30)',
    )
    .option('--outside', 'the controller runs elsewhere: only its account and rights')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const it = context()
      if (flags.platform === 'kubernetes') return enrolCluster(it, name, flags)
      if (flags.platform)
        throw usage(`${flags.platform} is enrolled as a machine is.`, 'Leave --platform out.')
      const { out, namespace, registry, image, outside, readPods, perOrganisation } = flags
      const meant = [out, namespace, registry, image, outside, readPods, perOrganisation]
      if (meant.some((one) => one !== undefined))
        throw usage('That is for a cluster.', 'Say so: --platform kubernetes.')
      await enrolMachine(it, name)
    })
}

async function enrolMachine({ api, output, folders }: Context, name: string): Promise<void> {
  const made = await api.call(controllerRoutes.token, { body: { name } })
  const fingerprint = await readFingerprint(folders.config)
  const command =
    fingerprint && !made.command.includes('--ca-fingerprint')
      ? `${made.command} --ca-fingerprint ${fingerprint}`
      : made.command
  output.result(['Run this on the other machine, once, within an hour:', '', `  ${command}`], {
    ...made,
    command,
  })
}

/** What only this machine reaches is no address for a cluster. */
const isHere = (url: string) => /^https?:\/\/(localhost|127\.|\[::1\])/.test(url)

async function enrolCluster({ api, output }: Context, name: string, flags: Flags): Promise<void> {
  const { namespace = 'kalnet', instances, image, url, registry, pullSecret, storageClass } = flags
  const cluster: ClusterChoice = {
    namespace,
    ...(instances !== undefined && { instances }),
    ...(image !== undefined && { image }),
    ...(url !== undefined && { url }),
    ...(registry !== undefined && { registry }),
    ...(pullSecret !== undefined && { pullSecret }),
    ...(storageClass !== undefined && { storageClass }),
    keeps: flags.volume,
    readMachines: flags.machines,
    readPods: flags.readPods === true,
    perOrganisation: flags.perOrganisation === true,
    outside: flags.outside === true,
  }
  const made = await api.call(controllerRoutes.token, { body: { name, cluster } })
  const manifest = made.manifest ?? ''
  const joins = /--join (\S+)/.exec(made.command)?.[1] ?? ''
  const until = made.expiresAt.slice(0, 16).replace('T', ' ')
  if (isHere(joins)) output.note(`The cluster cannot reach ${joins}: give the address it reaches by --url.`)
  if (!registry)
    output.note('Without --registry it runs images by reference only: no session of the catalog.')
  if (flags.outside) for (const words of outsideWords(cluster, made.command)) output.note(words)
  else {
    output.note(`The token in it works once, until ${until} UTC; nobody else may read it until then.`)
    if (!image) output.note('The image is kalnet:local, which machines must have; another one by --image.')
    if (!flags.volume) output.note('Without a volume it has to be enrolled again whenever its pod is gone.')
  }
  if (flags.out === undefined) return output.result(manifest.trimEnd(), made)
  const folder = resolve(flags.out)
  const path = join(folder, 'controller.yaml')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await writeWhole(path, manifest, 0o600)
  const { command: _, token: __, manifest: ___, ...rest } = made
  output.result(`written  ${path}\nkubectl apply -f ${path}`, { ...rest, file: path })
}

const outsideWords = (
  { namespace, instances = `${namespace}-instances`, perOrganisation }: ClusterChoice,
  command: string,
): string[] => [
  'Apply this; its account’s token is then in the Secret kalnet-controller-token:',
  `  kubectl -n ${namespace} get secret kalnet-controller-token -o jsonpath='{.data.token}' | base64 -d`,
  `Put it into a kubeconfig, name that in kalnet.yaml (kubernetes.kubeconfig, namespace: ${instances}${perOrganisation ? ', namespaces: per-organisation' : ''}), and run there, within an hour:`,
  `  ${command}`,
]
