/** `kalnet controllers show`: one machine, or the cluster behind it: its machines, what waits there and why, and what is not known. */
import type { ClusterView } from '@kalnet/contracts/cluster'
import { type Controller, controllerRoutes } from '@kalnet/contracts/controller'
import type { HomesThere } from '@kalnet/contracts/kept'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { ago, size, table } from '../output.ts'
import { findController, labelWords } from './controllers-change.ts'

export function addShow(controllers: Command, context: () => Context): void {
  controllers
    .command('show')
    .description('one machine; of a cluster also its machines, what waits there and why')
    .argument('<controller>', 'its name, its id, or either end of the id')
    .addHelpText(
      'after',
      `
Examples:
  kalnet controllers show cluster                          machines, room, what waits and why
  kalnet controllers show cluster --json | jq .cluster.waiting`,
    )
    .action(async (wanted: string) => {
      const it = context()
      const found = await findController(it, wanted)
      const { toldAt, cluster } = await it.api.call(controllerRoutes.cluster, { params: { id: found.id } })
      const homes = await it.api.call(controllerRoutes.homes)
      const kept = homes.items.find((one) => one.controllerId === found.id) ?? null
      const now = it.clock.now()
      const lines = [
        ...about(found, now),
        ...(kept ? [fact('homes', homesWords(kept))] : []),
        ...(cluster ? ofCluster(cluster, now) : []),
      ]
      it.output.result(lines, { ...found, kept, toldAt, cluster })
    })
}

const fact = (name: string, words: string) => `${name.padEnd(10)} ${words}`

function about(it: Controller, now: Date): string[] {
  const seen = it.lastSeenAt ? `, heard ${ago(new Date(it.lastSeenAt), now)} ago` : ''
  const closed = it.cordoned ? ', takes nothing new' : ''
  return [
    fact('name', it.name),
    fact('state', `${it.state}${seen}${closed}`),
    fact('instances', String(it.instances)),
    ...(labelWords(it.labels) ? [fact('labels', labelWords(it.labels))] : []),
    ...it.fingerprints.map((one) => fact(one.platform, `${one.usable ? one.version : one.detail}`)),
  ]
}

/** What it keeps of sessions that do not run. */
const homesWords = ({ homes, bytes, reservedBytes, unknown }: HomesThere) =>
  [
    `${homes} of sessions that do not run: ${size(bytes)}`,
    reservedBytes > 0 && `${size(reservedBytes)} set aside`,
    unknown > 0 && `${unknown} of unknown size`,
  ]
    .filter(Boolean)
    .join(', ')

const REGISTRY: Record<ClusterView['registry']['state'], string> = {
  none: 'none: only images by reference run',
  answers: 'answers',
  refuses: 'refuses',
  away: 'does not answer',
}

function ofCluster(it: ClusterView, now: Date): string[] {
  const { registry, storageClasses } = it
  return [
    fact('namespaces', it.namespaces.join(', ')),
    fact(
      'registry',
      [registry.address, REGISTRY[registry.state], registry.detail].filter(Boolean).join(', '),
    ),
    fact('storage', storageWords(storageClasses)),
    ...(it.images ?? []).map((one) =>
      fact(
        'ahead',
        `${one.name} on ${one.there} of ${one.machines} machines${one.problem ? `: ${one.problem}` : ''}`,
      ),
    ),
    '',
    ...machineLines(it),
    '',
    ...waitingLines(it, now),
    ...(it.missing.length > 0 ? ['', 'Not known or not possible, for want of a right:'] : []),
    ...it.missing.map((one) => `  ${one.right}: ${one.why}`),
  ]
}

const storageWords = (classes: ClusterView['storageClasses']) => {
  if (!classes) return 'not known'
  const mark = (one: NonNullable<typeof classes>[number]) =>
    `${one.name}${one.chosen ? ' (ours)' : one.usual ? ' (usual)' : ''}`
  return classes.map(mark).join(', ') || 'no storage class: volumes must be made by hand'
}

function machineLines({ machines, machineCount }: ClusterView): string[] {
  if (!machines) return ['Its machines are not known.']
  const rows = machines.map((one) => [
    one.name,
    one.cordoned ? 'takes nothing new' : one.ready ? 'ready' : one.detail,
    `${one.ours.pods}`,
    share(one.ours.cpus, one.others?.cpus, one.allocatable.cpus, (cpus) => cpus.toFixed(1)),
    share(one.ours.memoryBytes, one.others?.memoryBytes, one.allocatable.memoryBytes, size),
  ])
  const more = machineCount - machines.length
  return [
    ...table(['machine', 'state', 'instances', 'cpu', 'memory'], rows),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]
}

const share = (ours: number, others: number | undefined, all: number, words: (it: number) => string) =>
  `${words(ours)} ours${others === undefined ? '' : `, ${words(others)} others`} of ${words(all)}`

function waitingLines({ waiting, waitingCount }: ClusterView, now: Date): string[] {
  if (waitingCount === 0) return ['Nothing waits.']
  const rows = waiting.map((one) => [
    one.of?.name ?? 'of another organisation',
    ago(new Date(one.since), now),
    one.text,
  ])
  const more = waitingCount - waiting.length
  return [...table(['waits', 'since', 'why'], rows), ...(more > 0 ? [`and ${more} more`] : [])]
}
