/** What `kalnet service` changes: install, update, back to an older release, remove. */
import { catalogRoutes } from '@kalnet/contracts/catalog'
import { platformName } from '@kalnet/contracts/instance'
import { type Release, type Service, serviceRoutes } from '@kalnet/contracts/service'
import type { Answers } from '@kalnet/contracts/template'
import type { Context } from '../context.ts'
import { refused, usage } from '../problem.ts'
import { labelsOf } from './controllers-change.ts'
import { describeService, findService, settle } from './service-found.ts'

export interface InstallFlags {
  name?: string
  title?: string
  answer?: string[]
  use?: string[]
  replicas?: string
  platform?: string
  on?: string[]
  wait: boolean
}

const pairs = (words: readonly string[], what: string): [string, string][] =>
  words.map((pair) => {
    const [name = '', ...value] = pair.split('=')
    if (value.length === 0) throw usage(`${what} is name=value, not ${pair}.`)
    return [name, value.join('=')]
  })
/** As the template asks for them: text stays text, however it looks. */
async function answersOf(it: Context, templateId: string, words: readonly string[]): Promise<Answers> {
  if (words.length === 0) return {}
  const { inputs } = await it.api.call(catalogRoutes.read, { params: { id: templateId } })
  return Object.fromEntries(
    pairs(words, 'An answer').map(([name, text]) => {
      const type = inputs.find((input) => input.name === name)?.type
      if (type === 'boolean' && (text === 'true' || text === 'false')) return [name, text === 'true']
      return [name, type === 'number' && text !== '' ? Number(text) : text]
    }),
  )
}

export async function install(it: Context, template: string, flags: InstallFlags): Promise<void> {
  const platform = platformName.optional().safeParse(flags.platform)
  if (!platform.success) throw usage(`There is no platform called ${flags.platform}.`)
  const replicas = flags.replicas === undefined ? undefined : Number(flags.replicas)
  if (replicas !== undefined && !Number.isInteger(replicas)) throw usage(`${flags.replicas} is not a number.`)
  const dependencies: Record<string, string> = {}
  for (const [name, wanted] of pairs(flags.use ?? [], 'A used service'))
    dependencies[name] = (await findService(it, wanted)).id
  const installed = await it.api.call(serviceRoutes.install, {
    body: {
      templateId: template,
      name: flags.name,
      title: flags.title,
      answers: await answersOf(it, template, flags.answer ?? []),
      replicas,
      platform: platform.data,
      labels: labelsOf(flags.on ?? []),
      dependencies,
    },
  })
  const now = flags.wait ? await settle(it, installed, 'Starting', ['running']) : installed
  it.output.result(describeService(now), now)
}

export async function update(
  it: Context,
  wanted: string,
  body: { answers?: Answers; release?: number },
  wait: boolean,
): Promise<void> {
  const found = await findService(it, wanted)
  const asked = await it.api.call(serviceRoutes.update, { params: { id: found.id }, body })
  if (!wait) return it.output.result(describeService(asked), asked)
  // Unhealthy or stopped: whatever it was before, the update itself has come to its end.
  const now = await settle(it, asked, 'Updating', ['running', 'unhealthy', 'stopped'])
  const [newest] = await releasesOf(it, found.id)
  if (newest?.state === 'failed') {
    it.output.result(describeService(now), { ...now, failed: newest })
    it.exit.code = 1
    return
  }
  it.output.result(describeService(now), now)
}

/** The newest version, or the same with other answers. */
export async function answer(
  it: Context,
  wanted: string,
  words: string[] | undefined,
  wait: boolean,
): Promise<void> {
  const found = await findService(it, wanted)
  const answers = words && found.templateId ? await answersOf(it, found.templateId, words) : undefined
  return update(it, found.id, { answers }, wait)
}

export const releasesOf = async (it: Context, id: string): Promise<Release[]> =>
  (await it.api.call(serviceRoutes.releases, { params: { id }, query: { limit: 50 } })).items

export async function before(it: Context, found: Service): Promise<number> {
  const older = (await releasesOf(it, found.id)).find(
    (one) => one.state === 'replaced' && one.number < (found.release ?? 0),
  )
  if (!older)
    throw usage(
      `There is no release before this one of ${found.name}.`,
      `See \`kalnet service releases ${found.name}\`.`,
    )
  return older.number
}

export async function remove(
  it: Context,
  wanted: string,
  flags: { data: string; yes?: boolean },
): Promise<void> {
  const { data } = flags
  if (data !== 'keep' && data !== 'remove') throw usage('--data is `keep` or `remove`.')
  const found = await findService(it, wanted)
  const question =
    data === 'remove'
      ? `Remove ${found.title} and all that it kept?`
      : `Remove ${found.title}? What it kept stays.`
  const sure =
    flags.yes ||
    (data === 'remove' ? await it.output.askWord(question, found.name) : await it.output.ask(question))
  if (!sure)
    throw refused(
      `${found.title} is still there.`,
      `Say it with --yes: kalnet service remove ${found.name} --data ${data} --yes`,
    )
  await it.api.call(serviceRoutes.remove, { params: { id: found.id }, query: { data } })
  it.output.result(
    `${found.name} is removed${data === 'keep' ? '; what it kept stays' : ' with all that it kept'}.`,
    {
      id: found.id,
      name: found.name,
      data,
    },
  )
}
