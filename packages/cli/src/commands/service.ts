/** `kalnet service …`: what runs all the time, from the command line. */
import { platformName } from '@kalnet/contracts/instance'
import { type Service, serviceRoutes } from '@kalnet/contracts/service'
import type { AddCommand } from '../context.ts'
import { ago, table } from '../output.ts'
import { usage } from '../problem.ts'
import { answer, before, type InstallFlags, install, releasesOf, remove, update } from './service-change.ts'
import { describeService, findService, listServices, settle } from './service-found.ts'
import { showSecret } from './service-secret.ts'
import { usesOfService } from './used.ts'

const WHICH = 'its name, its id, or either end of the id'
const example = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`

export const addService: AddCommand = (program, context) => {
  const service = program.command('service').description('install, look at, update and remove services')
  service
    .command('ls')
    .description('services, by name')
    .argument('[search]', 'words of its name or title')
    .addHelpText('after', example('kalnet service ls', 'kalnet service ls --json'))
    .action(async (search: string | undefined) => {
      const it = context()
      const items = await listServices(it, search)
      const rows = items.map((one) => [
        one.name,
        one.title,
        one.state,
        one.version ?? '',
        one.url ?? '',
        one.reason ?? '',
      ])
      it.output.result(
        rows.length === 0
          ? 'No services. See what there is with `kalnet templates`, then `kalnet service install <template>`.'
          : table(['name', 'title', 'state', 'version', 'address', ''], rows),
        { items },
      )
    })
  service
    .command('show')
    .description('one of them, with its instances and what they use now')
    .argument('<service>', WHICH)
    .addHelpText('after', example('kalnet service show photos'))
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await findService(it, wanted)
      const one = await it.api.call(serviceRoutes.read, { params: { id } })
      const uses = await usesOfService(it, id, one.instances)
      it.output.result(describeService(one, uses, it.clock.now()), { ...one, uses })
    })
  service
    .command('install')
    .description('install a service from a template and wait until it runs')
    .argument('<template>', 'see `kalnet templates`')
    .option('--name <name>', "its host name; default: the template's id")
    .option('--title <title>', 'what people read')
    .option('--answer <name=value...>', "answers to the template's questions")
    .option('--use <name=service...>', 'services it uses, by the name the template gives them')
    .option('--replicas <number>', 'how many instances')
    .option(
      '--platform <platform>',
      `where: ${platformName.options.filter((it) => it !== 'fake').join(', ')}`,
    )
    .option('--on <key=value...>', 'only on machines that carry these labels')
    .option('--no-wait', 'do not wait until it runs')
    .addHelpText(
      'after',
      example(
        'kalnet service install radicale --name calendar',
        'kalnet service install wiki --use store=postgres --answer title=Ours',
      ),
    )
    .action(async (template: string, flags: InstallFlags) => install(context(), template, flags))
  for (const [what, words, done] of [
    ['start', 'Starting', 'running'],
    ['stop', 'Stopping', 'stopped'],
    ['restart', 'Starting', 'running'],
  ] as const)
    service
      .command(what)
      .description(
        { start: 'start it', stop: 'stop it; its data stays', restart: 'start every instance afresh' }[what],
      )
      .argument('<service...>', WHICH)
      .option('--no-wait', 'do not wait for it')
      .addHelpText('after', example(`kalnet service ${what} photos`))
      .action(async (wanted: string[], flags: { wait: boolean }) => {
        const it = context()
        const items: Service[] = []
        for (const each of wanted) {
          const { id } = await findService(it, each)
          const asked = await it.api.call(serviceRoutes[what], { params: { id } })
          items.push(flags.wait ? await settle(it, asked, words, [done]) : asked)
        }
        it.output.result(
          items.map((one) => `${one.name} is ${one.state}.`),
          { items },
        )
      })
  service
    .command('finish')
    .description('end now what is still open at the release before the live one')
    .argument('<service>', WHICH)
    .addHelpText('after', example('kalnet service finish photos'))
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await findService(it, wanted)
      const now = await it.api.call(serviceRoutes.finish, { params: { id } })
      it.output.result(`What was still open at the last release of ${now.name} has been ended.`, now)
    })
  service
    .command('update')
    .description('a new release: the newest version of its template, or other answers')
    .argument('<service>', WHICH)
    .option('--answer <name=value...>', 'all answers, instead of those it has')
    .option('--no-wait', 'do not wait until it has taken over')
    .addHelpText('after', example('kalnet service update photos'))
    .action(async (wanted: string, flags: { answer?: string[]; wait: boolean }) =>
      answer(context(), wanted, flags.answer, flags.wait),
    )
  service
    .command('rollback')
    .description('back to an older release, one of the last three')
    .argument('<service>', WHICH)
    .argument('[release]', 'its number; default: the one before')
    .option('--no-wait', 'do not wait until it has taken over')
    .addHelpText('after', example('kalnet service rollback photos', 'kalnet service rollback photos 3'))
    .action(async (wanted: string, number: string | undefined, flags: { wait: boolean }) => {
      const it = context()
      const found = await findService(it, wanted)
      const release = number === undefined ? await before(it, found) : Number(number)
      if (!Number.isInteger(release) || release < 1) throw usage(`${number} is not the number of a release.`)
      await update(it, found.id, { release }, flags.wait)
    })
  service
    .command('remove')
    .description('remove it; what it kept stays unless you say otherwise')
    .argument('<service>', WHICH)
    .option('--data <what>', '`keep` or `remove` what it kept', 'keep')
    .option('-y, --yes', 'do not ask')
    .addHelpText(
      'after',
      example('kalnet service remove photos', 'kalnet service remove photos --data remove --yes'),
    )
    .action(async (wanted: string, flags: { data: string; yes?: boolean }) =>
      remove(context(), wanted, flags),
    )
  service
    .command('logs')
    .description('what its programs printed')
    .argument('<service>', WHICH)
    .option('--lines <number>', 'how many of the last lines', '500')
    .addHelpText('after', example('kalnet service logs photos --lines 50'))
    .action(async (wanted: string, flags: { lines: string }) => {
      const it = context()
      const { id } = await findService(it, wanted)
      const { lines } = await it.api.call(serviceRoutes.logs, {
        params: { id },
        query: { lines: Number(flags.lines) },
      })
      it.output.result(lines, { id, lines })
    })
  service
    .command('secret')
    .description('a password that was made for it, for people who need it; each look is put on record')
    .argument('<service>', WHICH)
    .argument('[password]', 'its name; default: the only one there is')
    .addHelpText(
      'after',
      example('kalnet service secret database', 'kalnet service secret database password'),
    )
    .action((wanted: string, name: string | undefined) => showSecret(context(), wanted, name))
  service
    .command('releases')
    .description('its releases, newest first')
    .argument('<service>', WHICH)
    .addHelpText('after', example('kalnet service releases photos'))
    .action(async (wanted: string) => {
      const it = context()
      const { id } = await findService(it, wanted)
      const items = await releasesOf(it, id)
      const now = it.clock.now()
      it.output.result(
        table(
          ['release', 'version', 'state', 'made', 'by', ''],
          items.map((one) => [
            String(one.number),
            one.version,
            one.state,
            `${ago(new Date(one.createdAt), now)} ago`,
            one.byName ?? '',
            one.reason ?? '',
          ]),
        ),
        { items },
      )
    })
  service
    .command('health')
    .description('how its health changed, newest first')
    .argument('<service>', WHICH)
    .addHelpText('after', example('kalnet service health photos'))
    .action(async (wanted: string) => {
      const it = context()
      const { id, name } = await findService(it, wanted)
      const { items } = await it.api.call(serviceRoutes.history, { params: { id }, query: { limit: 50 } })
      const now = it.clock.now()
      const rows = items.map((one) => [
        `${one.part}-${one.number}`,
        one.state,
        `${ago(new Date(one.at), now)} ago`,
        one.detail,
      ])
      it.output.result(
        rows.length === 0
          ? `Nothing was asked of ${name} yet.`
          : table(['instance', 'health', 'since', ''], rows),
        { items },
      )
    })
}
