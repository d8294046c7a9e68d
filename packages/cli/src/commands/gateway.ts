/** `kalnet gateway`: the entry point as a process of its own, for a control plane elsewhere. */
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Config } from '@kalnet/contracts/config'
import { KalnetError } from '@kalnet/contracts/errors'
import { KEY_FORM } from '@kalnet/contracts/key'
import { systemClock } from '@kalnet/io/clock'
import { readIfThere } from '@kalnet/io/files'
import { createLog } from '@kalnet/io/log'
import type { AddCommand } from '../context.ts'
import { refused, usage } from '../problem.ts'
import { readConfig } from '../settings.ts'
import { tellParent, untilToldToEnd } from '../supervisor/child.ts'
import { VERSION } from '../tree.ts'

interface Flags {
  join: string[]
  keyFile?: string
  caFile?: string
  caFingerprint?: string
  name?: string
}

const HELP = `
Its key is read from a file (--key-file, gateway.keyFile) or from KALNET_GATEWAY_KEY; never from the command line, where
everybody on the machine could read it. Make one with: kalnet key add attic --scope gateway.serve

Where it listens is said by gateway.host, gateway.httpPort and gateway.httpsPort; https is served with tls.enabled.
It ends with SIGTERM, after what is under way.

Examples:
  kalnet gateway --join https://kalnet.home.arpa:7400 --key-file /etc/kalnet/gateway.key --ca-fingerprint 3A:…
  KALNET_TLS_ENABLED=true KALNET_GATEWAY_HTTPS_PORT=443 kalnet gateway --join https://kalnet.home.arpa:7400
  kalnet gateway --join https://one:7400 --join https://two:7400     the next one, when the first is away

Exit codes:
  0  told to end        1  failed, or a port is held        2  the command line is wrong
  4  the control plane refuses its key`

const isLoopback = (host: string) =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

/** Plain http would tell the key, and certificates with their keys, to everybody on the way. */
export function controlPlaneUrls(texts: readonly string[]): URL[] {
  if (texts.length === 0)
    throw usage('Say which control plane it serves for.', 'Use --join <address>, or gateway.join.')
  return texts.map((text) => {
    if (!URL.canParse(text))
      throw usage(`${text} is not an address.`, 'Give it like https://kalnet.home.arpa:7400.')
    const url = new URL(text)
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
      throw usage(
        `${text} is not an address of a control plane.`,
        'Give it like https://kalnet.home.arpa:7400.',
      )
    if (url.protocol === 'http:' && !isLoopback(url.hostname))
      throw usage(
        `The control plane at ${url.host} must be asked by https: the key would travel in the clear.`,
        'Start it with `kalnet up --lan`, and give its https address.',
      )
    return url
  })
}

async function keyFrom({ gateway }: Config, file: string | undefined): Promise<string> {
  const path = file ?? gateway.keyFile
  const text = path ? await readIfThere(path) : (gateway.key ?? null)
  if (path && text === null)
    throw usage(`There is no file ${path}.`, 'Write the key into it, readable by you alone.')
  if (text === null)
    throw usage(
      'A gateway needs a service key.',
      'Make one with `kalnet key add attic --scope gateway.serve`, and give it in a file: --key-file.',
    )
  const key = text.trim()
  if (!KEY_FORM.test(key)) throw usage('This is not a service key.', 'It begins with kal_ and has no spaces.')
  return key
}

/** A name that others on the network can tell apart. */
const usualName = () =>
  hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, 50) || 'gateway'

export const addGateway: AddCommand = (program, context) => {
  program
    .command('gateway')
    .description('an entry point alone, in the foreground, for a control plane elsewhere')
    .option(
      '--join <url>',
      'address of the control plane; may be said again',
      (text: string, all: string[]) => [...all, text],
      [],
    )
    .option('--key-file <file>', 'where its service key stands')
    .option('--ca-file <file>', 'the authority of the control plane, PEM')
    .option('--ca-fingerprint <fingerprint>', 'its fingerprint, when there is no file')
    .option('--name <name>', 'what this gateway is called there')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      const { folders, env } = context()
      const config = await readConfig({ folders, env, flags: {} })
      const { gateway, listen, tls, log } = config
      const urls = controlPlaneUrls(flags.join.length > 0 ? flags.join : gateway.join)
      const key = await keyFrom(config, flags.keyFile)
      const signal = untilToldToEnd()
      const { PATIENCE_MS, trust } = await import('../lan/trust.ts')
      const caFile = flags.caFile ?? gateway.authorityFile
      const ca = caFile
        ? await readIfThere(caFile)
        : await trust(String(urls[0]), flags.caFingerprint, folders.config, signal, PATIENCE_MS)
      if (caFile && !ca) throw usage(`There is no file ${caFile}.`)
      const { runGatewayAlone } = await import('@kalnet/server/gateway/alone/alone')
      const { createTelemetry } = await import('@kalnet/server/core/telemetry/telemetry')
      const about = { version: VERSION, clock: systemClock, log: createLog('gateway', log.level) }
      await runGatewayAlone({
        urls,
        key,
        ...(ca ? { ca } : {}),
        name: flags.name ?? gateway.name ?? usualName(),
        ...about,
        network: config.network,
        telemetry: createTelemetry({ config, name: 'kalnet-gateway', ...about }),
        listen: {
          host: gateway.host ?? listen.host,
          httpPort: gateway.httpPort,
          httpsPort: tls.enabled ? gateway.httpsPort : null,
          publicHttpsPort: gateway.publicHttpsPort ?? null,
        },
        folder: join(folders.data, 'gateway'),
        signal,
        onReady: ({ http }) => tellParent({ type: 'ready', url: `http://${http.host}:${http.port}` }),
      }).catch((error: unknown) => {
        if (signal.aborted) return
        if (error instanceof KalnetError && (error.status === 401 || error.status === 403))
          throw refused(
            `The control plane refuses this key: ${error.message}`,
            'Make one with `kalnet key add attic --scope gateway.serve`.',
          )
        throw error
      })
    })
}
