/** Who we are for the cluster: a kubeconfig, or the service account of the pod that we run in. Asked anew for each call, because tokens change. */
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import type { KubernetesSettings } from './settings.ts'

const IN_CLUSTER = '/var/run/secrets/kubernetes.io/serviceaccount/token'

export interface Access {
  url: string
  headers: Record<string, string>
  tls: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer; rejectUnauthorized?: boolean }
}

export interface SignIn {
  /** Throws a sentence for people where the configuration cannot be meant. */
  access(): Promise<Access>
  inCluster: boolean
}

type Wanted = Pick<KubernetesSettings, 'kubeconfig' | 'context'>

/** 73 MB of packages: only who drives a cluster loads them. */
async function open({ kubeconfig, context }: Wanted): Promise<KubeConfig> {
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const config = new Config()
  if (kubeconfig) {
    await readFile(kubeconfig).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`The kubeconfig ${kubeconfig} cannot be read (${error.code})`, { cause: error })
    })
    try {
      config.loadFromFile(kubeconfig)
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
  if (context) {
    if (!config.getContexts().some((it) => it.name === context))
      throw new Error(`The kubeconfig has no context ${context}`)
    config.setCurrentContext(context)
  }
  const server = config.getCurrentCluster()?.server
  if (!server || !URL.canParse(server)) throw new Error('The kubeconfig names no cluster with an address')
  if (!config.getCurrentUser()) throw new Error('The kubeconfig names no user for its context')
  return config
}

export function createSignIn(wanted: Wanted): SignIn {
  let opened: Promise<KubeConfig> | null = null
  return {
    inCluster: !wanted.kubeconfig,
    async access() {
      opened ??= open(wanted)
      // What could not be read is read again: somebody is mending it.
      const config = await opened.catch((error: unknown) => {
        opened = null
        throw error
      })
      const options: RequestOptions = {}
      try {
        await config.applyToHTTPSOptions(options)
      } catch (error) {
        opened = null
        throw new Error('The kubeconfig names keys or certificates that cannot be read', { cause: error })
      }
      const headers: Record<string, string> = {}
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value)
      if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
      const { ca, cert, key, rejectUnauthorized } = options
      return {
        url: config.getCurrentCluster()?.server ?? '',
        headers,
        tls: { ca, cert, key, rejectUnauthorized } as Access['tls'],
      }
    },
  }
}
