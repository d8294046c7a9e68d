/** What machines of a cluster sign in to the registry with: the content of a Secret of type kubernetes.io/dockerconfigjson. */
import { hostOf, type ImageRegistry } from './settings.ts'

/** The one key of such a Secret; its value is plain text here (`stringData`), the API encodes it. */
export interface PullSecret {
  type: 'kubernetes.io/dockerconfigjson'
  stringData: { '.dockerconfigjson': string }
}

/** Null where the registry asks nobody who they are. */
export function pullSecretOf(registry: ImageRegistry): PullSecret | null {
  if (!registry.credentials) return null
  const { user, password } = registry.credentials
  const auth = Buffer.from(`${user}:${password}`, 'utf8').toString('base64')
  const content = { auths: { [hostOf(registry)]: { username: user, password, auth } } }
  return {
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify(content) },
  }
}
