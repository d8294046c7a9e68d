/** What the supervisor starts: `serve` (the control plane), `controller`, and `supervise` itself. */
import { join } from 'node:path'
import { platformName } from '@kalnet/contracts/instance'
import { systemClock } from '@kalnet/io/clock'
import { readIfThere } from '@kalnet/io/files'
import type { Folders } from '@kalnet/io/folders'
import { createLog } from '@kalnet/io/log'
import { ensureTls } from '@kalnet/server/core/tls'
import type { AddCommand } from '../context.ts'
import { certificateNames, lanUrl } from '../lan/addresses.ts'
import { explain, failed, usage } from '../problem.ts'
import { addListenFlags, type ListenFlags, listenArguments, readConfig } from '../settings.ts'
import { tellParent, untilAborted, untilToldToEnd } from '../supervisor/child.ts'
import { keepSmall } from '../supervisor/log-files.ts'
import { createParts } from '../supervisor/parts.ts'
import { supervise } from '../supervisor/supervisor.ts'

export const addServe: AddCommand = (program, context) => {
  addListenFlags(
    program.command('serve').description('the control plane alone, in the foreground; the database is yours'),
  ).action(async (flags: ListenFlags) => {
    const { folders, env } = context()
    await asChild((signal) => serveHere({ folders, env, flags, signal }))
  })

  program
    .command('controller')
    .description('run sessions on this machine for a control plane elsewhere')
    .requiredOption('--join <url>', 'address of the control plane')
    .option('--token <token>', 'one-use token from `kalnet controllers enrol`')
    .option('--ca-fingerprint <fingerprint>', "fingerprint of the control plane's own authority")
    .option('--ca-file <file>', 'the authority itself, PEM')
    .option('--name <name>', 'what this machine is called there')
    .option('--platforms <names>', 'only these platforms, by comma')
    .action(async (flags: ControllerFlags) => {
      const { folders, env } = context()
      await asChild(async (signal) => {
        const { runController } = await import('@kalnet/controller/controller')
        const { PATIENCE_MS, trust } = await import('../lan/trust.ts')
        const ca = flags.caFile
          ? await readIfThere(flags.caFile)
          : await trust(flags.join, flags.caFingerprint, folders.config, signal, PATIENCE_MS)
        if (flags.caFile && !ca) throw usage(`There is no file ${flags.caFile}.`)
        const { docker, kubernetes, network } = await readConfig({ folders, env, flags: {} })
        await runController({
          folders,
          url: flags.join,
          platforms: flags.platforms ? platforms(flags.platforms) : undefined,
          networkRange: docker.networks,
          cluster: kubernetes,
          network,
          token: flags.token ?? env.KALNET_CONTROLLER_TOKEN,
          ca: ca ?? undefined,
          name: flags.name,
          log: createLog('controller'),
          signal,
          clock: systemClock,
          onReady: () => tellParent({ type: 'ready', url: null }),
        })
      })
    })

  addListenFlags(program.command('supervise', { hidden: true })).action(async (flags: ListenFlags) => {
    const { folders, env } = context()
    const phase = await superviseHere(folders, env, flags, untilToldToEnd())
    if (phase === 'failed') throw failed('Kalnet could not be started.', 'Read the log.')
  })
}

/** More than any machine has; a certificate is not to grow without end. */
const NAMES_MOST = 100

/** The control plane in this very process, until told to end. */
async function serveHere({ folders, env, flags, signal }: ServeOptions): Promise<void> {
  const { createServer } = await import('@kalnet/server/server')
  const { untilDatabase } = await import('@kalnet/server/core/database-there')
  const given = await readConfig({ folders, env, flags })
  const config = { ...given, publicUrl: given.publicUrl ?? lanUrl(given) }
  if (!config.database.url)
    throw usage(
      '`serve` needs a database of yours: KALNET_DATABASE_URL or database.url.',
      'To have everything started for you: kalnet up.',
    )
  /** Of all networks it was on since it started: whoever comes back to one finds its name. */
  const names = new Set<string>()
  const certificate = async () => {
    const now = certificateNames(config.tls.names, config.listen.host)
    if (names.size > NAMES_MOST) names.clear()
    for (const name of now) names.add(name)
    const { key, certificate: cert } = await ensureTls(folders.config, [...names])
    return { key, cert }
  }
  const log = createLog('server', config.log.level)
  await untilDatabase({ url: config.database.url, log, signal })
  const server = await createServer({
    config,
    folders,
    log,
    databaseUrl: config.database.url,
    manifest: async (...joining) =>
      (await import('../render/kubernetes/enrolment.ts')).enrolmentFile(...joining),
    ...(config.tls.enabled ? { tls: await certificate(), renewTls: certificate } : {}),
  })
  try {
    signal.throwIfAborted()
    await server.listen()
    tellParent({ type: 'ready', url: server.url() })
    await untilAborted(signal)
  } finally {
    await server.close()
  }
}

interface ServeOptions {
  folders: Folders
  env: NodeJS.ProcessEnv
  flags: ListenFlags
  signal: AbortSignal
}

/** The supervisor in this very process: `up --foreground` and the detached one. */
export async function superviseHere(
  folders: Parameters<typeof supervise>[0]['folders'],
  env: NodeJS.ProcessEnv,
  flags: ListenFlags,
  signal: AbortSignal,
) {
  const config = await readConfig({ folders, env, flags })
  const log = createLog('supervisor', config.log.level)
  const logs = ['supervisor', 'server', 'controller'].map((name) => join(folders.data, 'logs', `${name}.log`))
  void keepSmall(logs, { clock: systemClock, log, signal })
  const { parts, url } = createParts({ folders, config, flags: listenArguments(flags), env, log })
  return supervise({ folders, lan: config.tls.enabled === true, parts, url, clock: systemClock, log, signal })
}

interface ControllerFlags {
  join: string
  token?: string
  caFingerprint?: string
  caFile?: string
  name?: string
  platforms?: string
}

const platforms = (text: string) =>
  text.split(',').map((name) => {
    const parsed = platformName.safeParse(name.trim())
    if (!parsed.success) throw usage(`There is no platform called ${name}.`)
    return parsed.data
  })

/** Runs until told to end; a failure is told to the supervisor in words. */
async function asChild(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = untilToldToEnd()
  try {
    await work(signal)
  } catch (error) {
    if (signal.aborted) return
    const { message, next } = explain(error)
    tellParent({ type: 'failed', message, next })
    throw error
  }
}
