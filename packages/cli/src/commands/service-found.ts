/** Finding a service by what people call it, waiting for it, and the lines it is shown as. */
import { type Service, type ServiceState, serviceRoutes } from '@kalnet/contracts/service'
import type { InstanceUse } from '@kalnet/contracts/use'
import { nearest } from '@kalnet/server/core/nearest'
import type { Context } from '../context.ts'
import { failed, usage } from '../problem.ts'
import { placedLines } from './placed.ts'
import { useWords } from './used.ts'

/** Building an image for the first time takes its time. */
const WAIT_MS = 900_000
const LOOK_MS = 250

export async function listServices(it: Context, search?: string): Promise<Service[]> {
  const items: Service[] = []
  let after: string | undefined
  do {
    const page = await it.api.call(serviceRoutes.list, { query: { search, after, limit: 200 } })
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after)
  return items
}

/** By name, id, or either end of an id. */
export async function findService(it: Context, wanted: string): Promise<Service> {
  const all = await listServices(it)
  const exact = all.filter((one) => one.name === wanted || one.id === wanted)
  const close =
    wanted.length >= 4 ? all.filter((one) => one.id.startsWith(wanted) || one.id.endsWith(wanted)) : []
  const [first, second] = exact.length > 0 ? exact : close
  if (!first) {
    const near = nearest(
      wanted,
      all.map((one) => one.name),
    )
    throw usage(`There is no service ${wanted}.`, near ? `Did you mean ${near}?` : 'See `kalnet service ls`.')
  }
  if (second) throw usage(`More than one service is meant by ${wanted}.`, 'Give its name.')
  return first
}

const progressOf = (service: Service): string =>
  service.instances.find((one) => one.progress)?.progress?.text ?? service.reason ?? service.state

/** Until it is in one of these states, and no update is under way. Throws when it failed or takes too long. */
export async function settle(
  it: Context,
  service: Service,
  words: string,
  wanted: readonly ServiceState[],
): Promise<Service> {
  const until = it.clock.now().getTime() + WAIT_MS
  return it.output.step(`${words} ${service.title}`, async (say) => {
    for (let now = service; ; ) {
      if (wanted.includes(now.state)) return now
      if (now.state === 'failed' || it.clock.now().getTime() > until)
        throw failed(
          now.reason ?? `${now.name} is still ${now.state}.`,
          `Read \`kalnet service logs ${now.name}\`.`,
        )
      say(progressOf(now))
      await it.clock.sleep(LOOK_MS, it.signal)
      now = await it.api.call(serviceRoutes.read, { params: { id: service.id }, signal: it.signal })
    }
  })
}

export function describeService(
  service: Service,
  uses: readonly InstanceUse[] = [],
  now = new Date(),
): string[] {
  const { instances, dependencies } = service
  const lines = [
    `${service.title} (${service.name}) is ${service.state}.`,
    ...(service.reason ? [`  ${service.reason}`] : []),
    ...(service.url ? [`  open it: ${service.url}`] : []),
    ...(service.release ? [`  release ${service.release}, version ${service.version ?? '?'}`] : []),
    ...(service.updateTo
      ? [`  version ${service.updateTo} is there: kalnet service update ${service.name}`]
      : []),
    ...(dependencies.length > 0 ? [`  uses ${dependencies.join(', ')}`] : []),
  ]
  for (const one of instances) {
    const where = one.controllerName ? ` on ${one.controllerName}` : ''
    const restarts = one.restarts > 0 ? `, started again ${one.restarts} times` : ''
    const health = one.health ? `, ${one.health.state}` : ''
    lines.push(`  ${one.part}-${one.number}: ${one.state}${health}${where} (${one.platform})${restarts}`)
    if (one.reason) lines.push(`    ${one.reason}`)
    const use = uses.find((it) => it.instanceId === one.id)
    if (use && (use.now.known || use.now.because !== 'idle')) lines.push(`    uses ${useWords(use, now)}`)
    if (one.placed) lines.push(...placedLines(one.placed).map((line) => `    ${line}`))
  }
  return lines
}
