/** `kalnet images warm`: brings images to every machine of the cluster, so that nobody waits for them there; says which have them. */
import { createRegistryImages } from '@kalnet/controller/images/oci/push'
import { RegistryProblem } from '@kalnet/controller/images/oci/pushed'
import { type KubernetesSettings, settingsOf } from '@kalnet/controller/platforms/kubernetes/settings'
import { type Machines, machinesOf } from '@kalnet/controller/platforms/kubernetes/warm-now'
import type { WarmImage } from '@kalnet/controller/platforms/kubernetes/warm-pod'
import { wantedOf } from '@kalnet/controller/platforms/kubernetes/warming'
import { createLog } from '@kalnet/io/log'
import type { AddCommand, Context } from '../context.ts'
import { table } from '../output.ts'
import { failed, refused, usage } from '../problem.ts'
import { readConfig } from '../settings.ts'
import { knownRecipes, openImages, wantedRecipes } from './images-found.ts'

interface Flags {
  look?: boolean
}

export const addWarm: AddCommand = (images, context) => {
  images
    .command('warm')
    .description('bring images to every machine of the cluster, so that a start fetches nothing')
    .argument(
      '[recipe...]',
      'recipes or templates; none: what `kubernetes.warm` names, else what was run there',
    )
    .option('--look', 'only say which machines have them')
    .addHelpText(
      'after',
      `
On the machine of the controller, with its kalnet.yaml: \`kubernetes.enabled\` and \`kubernetes.registry\`. An image that the registry does not have is pushed first.
The controller does the same by itself for what \`kubernetes.warm\` names, also for machines that come later.

Examples:
  kalnet images warm terminal
  kalnet images warm --look --json`,
    )
    .action(async (wanted: string[], flags: Flags) => warm(context(), wanted, flags))
}

async function clusterOf(it: Context): Promise<KubernetesSettings> {
  const { kubernetes } = await readConfig({ folders: it.folders, env: it.env, flags: {} })
  if (!kubernetes.enabled)
    throw refused(
      'No cluster is configured on this machine.',
      'Set kubernetes.enabled in kalnet.yaml; see docs/kubernetes.md.',
    )
  if (!kubernetes.registry)
    throw refused(
      'No registry is configured that its machines get images from.',
      'Set kubernetes.registry in kalnet.yaml.',
    )
  try {
    return settingsOf(kubernetes, it.env)
  } catch (error) {
    throw usage(error instanceof Error ? error.message : 'kubernetes cannot be used')
  }
}

async function imagesOf(it: Context, settings: KubernetesSettings, wanted: string[]): Promise<WarmImage[]> {
  const registry = settings.registry
  if (!registry) return []
  const images = createRegistryImages({ images: openImages(it), clock: it.clock })
  try {
    if (wanted.length === 0)
      return wantedOf(settings.warm.length > 0 ? settings.warm : ['used'], await images.list(registry))
    const found: WarmImage[] = []
    for (const [name, chain] of wantedRecipes(await knownRecipes(), wanted))
      found.push({
        name,
        ...(await it.output.step(`Looking for ${name} in the registry`, async (say) => {
          const said = ({ text }: { text: string }) => say(text)
          const { reference } = await images.ensurePushed({ chain, registry, signal: it.signal, say: said })
          return { reference }
        })),
      })
    return found
  } catch (error) {
    throw error instanceof RegistryProblem
      ? failed(error.message, 'The same command goes on where it ended.', error)
      : error
  } finally {
    await images.close()
  }
}

async function warm(it: Context, wanted: string[], { look = false }: Flags): Promise<void> {
  const settings = await clusterOf(it)
  let machines: Machines
  try {
    machines = await machinesOf({
      settings,
      folders: it.folders,
      log: createLog('images', 'warn'),
      signal: it.signal,
      clock: it.clock,
    })
  } catch (error) {
    const words = error instanceof Error ? error.message : ''
    throw failed(
      `The cluster cannot be asked: ${words}.`,
      'See `kalnet doctor`, and kubernetes in kalnet.yaml.',
      error,
    )
  }
  const images = await imagesOf(it, settings, wanted)
  const items: {
    image: string
    reference: string
    machine: string
    state: 'there' | 'brought' | 'missing'
    ms: number | null
  }[] = []
  for (const image of images) {
    const lacking = machines.names.filter((machine) => !machines.has(machine, image))
    const brought = new Map<string, number>()
    if (!look && lacking.length > 0)
      await it.output
        .step(`Bringing ${image.name} to ${lacking.length} of ${machines.names.length} machines`, (say) =>
          machines.bringTo(lacking, image, (machine, ms) => {
            brought.set(machine, ms)
            say(`${brought.size} of ${lacking.length}`)
          }),
        )
        .catch((error: Error) => {
          throw failed(
            `${image.name} is not on every machine: ${error.message}`,
            'The same command goes on where it ended.',
            error,
          )
        })
    for (const machine of machines.names) {
      const ms = brought.get(machine) ?? null
      const state = !lacking.includes(machine) ? 'there' : ms === null ? 'missing' : 'brought'
      items.push({ image: image.name, reference: image.reference, machine, state, ms })
    }
  }
  const rows = items.map((one) => [
    one.image,
    one.machine,
    one.state,
    one.ms === null ? '–' : `${(one.ms / 1000).toFixed(1)} s`,
  ])
  const text =
    rows.length > 0
      ? table(['image', 'machine', 'state', 'took'], rows)
      : ['Nothing was run on this cluster yet: name what is to be brought.']
  it.output.result(text, { items })
}
