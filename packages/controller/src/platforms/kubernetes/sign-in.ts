/** Who we are for the cluster: a kubeconfig, or the service account of the pod that we run in. Asked anew for each call, because tokens change. */
import { readFile, stat } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { dirname, isAbsolute, join } from 'node:path'
import { type Clock, systemClock } from '@kalnet/io/clock'
import type { KubeConfig } from '@kubernetes/client-node'
import { askPlugin, type Credential, type ExecPlugin, execPlugin, isOver } from './exec-plugin.ts'
import type { KubernetesSettings } from './settings.ts'

const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/token'
/** More than any that people have; less than what holds everybody up. */
const MOST_BYTES = 2 ** 20

export interface Access {
  url: string
  headers: Record<string, string>
  tls: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer; rejectUnauthorized?: boolean }
}

export interface SignIn {
  /** Throws a sentence for people where the configuration cannot be meant. */
  access(): Promise<Access>
  /** What we said was not taken, or nobody answered there: somebody may have written it anew. */
  renew(): void
  inCluster: boolean
}

type Wanted = Pick<KubernetesSettings, 'kubeconfig' | 'context'>

interface Opened {
  config: KubeConfig
  folder: string
  /** What the library does not do: programs within a time, and files of tokens by the name that kubeconfigs have for them. */
  plugin?: ExecPlugin
  tokenFile?: string
}
interface Raw {
  users?: { name?: unknown; user?: { exec?: unknown; tokenFile?: unknown; token?: unknown } }[]
}

async function textOf(kubeconfig: string): Promise<string> {
  const cannot = (why: string, cause?: unknown) =>
    new Error(`The kubeconfig ${kubeconfig} cannot be read (${why})`, { cause })
  const found = await stat(kubeconfig).catch((error: NodeJS.ErrnoException) => {
    throw cannot(error.code ?? '', error)
  })
  if (!found.isFile()) throw cannot('it is no file')
  if (found.size > MOST_BYTES) throw cannot('it is larger than one megabyte')
  return readFile(kubeconfig, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw cannot(error.code ?? '', error)
  })
}

/** 73 MB of packages: only who drives a cluster loads them. */
async function open({ kubeconfig, context }: Wanted): Promise<Opened> {
  const { KubeConfig: Config, loadYaml } = await import('@kubernetes/client-node')
  const config = new Config()
  let raw: Raw | null = null
  if (kubeconfig) {
    const text = await textOf(kubeconfig)
    try {
      raw = loadYaml<Raw | null>(text)
      config.loadFromString(text)
      config.makePathsAbsolute(dirname(kubeconfig))
    } catch (error) {
      throw new Error(`The kubeconfig ${kubeconfig} cannot be understood`, { cause: error })
    }
  } else {
    await readFile(IN_CLUSTER).catch((error: unknown) => {
      throw new Error('No kubeconfig is set, and this is no pod of a cluster with a service account', {
        cause: error,
      })
    })
    config.loadFromCluster()
  }
  const names = config.getContexts().map((it) => it.name)
  const current = context ?? config.getCurrentContext()
  if (!names.includes(current)) {
    const there = names.length > 0 ? `it has ${names.join(', ').slice(0, 200)}` : 'it has none at all'
    throw new Error(
      current
        ? `The kubeconfig has no context ${current}: ${there}`
        : `The kubeconfig does not say which context is meant (current-context): ${there}`,
    )
  }
  config.setCurrentContext(current)
  const server = config.getCurrentCluster()?.server
  if (!server || !/^https?:/.test(server) || !URL.canParse(server))
    throw new Error('The kubeconfig names no cluster with an address')
  if (server.startsWith('http:') && !config.getCurrentCluster()?.skipTLSVerify)
    throw new Error(
      `The kubeconfig names ${server}, which is without TLS: everybody on the way could read our token (insecure-skip-tls-verify allows it)`,
    )
  const user = config.getCurrentUser()
  if (!user) throw new Error('The kubeconfig names no user for its context')
  return { config, folder: dirname(kubeconfig ?? IN_CLUSTER), ...notOfTheLibrary(raw, user.name) }
}

function notOfTheLibrary(raw: Raw | null, name: string): Pick<Opened, 'plugin' | 'tokenFile'> {
  const user = raw?.users?.find((it) => it.name === name)?.user
  if (user?.exec) {
    const plugin = execPlugin.safeParse(user.exec)
    if (!plugin.success)
      throw new Error('The kubeconfig names a program to sign in with that cannot be meant')
    return { plugin: plugin.data }
  }
  // A token beside it has no say (kubeconfig v1, AuthInfo).
  return typeof user?.tokenFile === 'string' ? { tokenFile: user.tokenFile } : {}
}

export function createSignIn(wanted: Wanted, clock: Clock = systemClock): SignIn {
  let opened: Promise<Opened> | null = null
  let said: Promise<Credential> | null = null
  const renew = () => {
    opened = null
    said = null
  }

  async function credentialOf(plugin: ExecPlugin, folder: string): Promise<Credential> {
    const before = said
    const known = await before
    if (known && !isOver(known, clock.now().getTime())) return known
    // Many find it over at once; the first of them asks for all.
    if (said === before) said = askPlugin(plugin, folder)
    return said ?? askPlugin(plugin, folder)
  }

  return {
    inCluster: !wanted.kubeconfig,
    renew,
    async access() {
      opened ??= open(wanted)
      try {
        const { config, folder, plugin, tokenFile } = await opened
        const options: RequestOptions = { headers: {} }
        const user = config.getCurrentUser()
        if (plugin && user) Object.assign(user, { exec: undefined })
        try {
          await config.applyToHTTPSOptions(options)
        } catch (error) {
          throw new Error('The kubeconfig names keys or certificates that cannot be read', { cause: error })
        }
        const headers: Record<string, string> = {}
        for (const [name, value] of Object.entries(options.headers ?? {}))
          headers[name] = String(value).trim()
        if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
        const { ca, cert, key, rejectUnauthorized } = options
        const tls = { ca, cert, key, rejectUnauthorized } as Access['tls']
        if (tokenFile) headers.Authorization = `Bearer ${await tokenIn(tokenFile, folder)}`
        if (plugin) {
          const its = await credentialOf(plugin, folder)
          if (its.token) headers.Authorization = `Bearer ${its.token}`
          if (its.clientCertificateData) {
            tls.cert = its.clientCertificateData
            tls.key = its.clientKeyData
          }
        }
        return { url: config.getCurrentCluster()?.server ?? '', headers, tls }
      } catch (error) {
        // What could not be read is read again: somebody is mending it.
        renew()
        throw error
      }
    },
  }
}

async function tokenIn(file: string, folder: string): Promise<string> {
  const path = isAbsolute(file) ? file : join(folder, file)
  const token = (
    await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Error(`The token in ${path} cannot be read (${error.code})`, { cause: error })
    })
  ).trim()
  if (!token) throw new Error(`The token in ${path} is empty`)
  return token
}
