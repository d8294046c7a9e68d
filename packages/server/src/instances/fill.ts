/** Secrets stand in specs as marks only; here they are put in, on the way to the controller and nowhere else. */
import type { DesiredInstance } from '@kalnet/contracts/instance'
import { quoted } from '../catalog/placeholders.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Tx } from '../core/store.ts'
import { statements } from './store.ts'

const MARK = /\{\{(quoted-)?secret:([a-z0-9-]+\/[a-z0-9-]+\/[a-z0-9-]+)\}\}/g

/** What a secret of a service is sealed under. By its name: with data that was kept, the secrets that open it come back too. */
export const secretName = (service: string, name: string): string => `service/${service}/${name}`
/** `isQuoted`: as a quoted JSON string, for what people chose. */
export const secretMark = (service: string, name: string, isQuoted = false): string =>
  `{{${isQuoted ? 'quoted-' : ''}secret:${secretName(service, name)}}}`

async function isLent(tx: Tx, id: string, name: string): Promise<boolean> {
  const [, service = '', secret = ''] = name.split('/')
  return (await statements.lent({ id, service, secret }).execute(tx)).rows.length > 0
}

/** The same instance with the secrets of its own service put in, and with what services that it uses share with it. Throws when one is missing: half a spec must not run. */
export async function fillSecrets(
  tx: Tx,
  secrets: Secrets,
  instance: DesiredInstance,
): Promise<DesiredInstance> {
  const { spec, organisationId } = instance
  const own = secretName(spec.labels.service ?? '', '')
  const texts = [...Object.values(spec.environment), ...spec.command, ...spec.files.map((it) => it.content)]
  const names = new Set(texts.flatMap((text) => [...text.matchAll(MARK)].map((match) => match[2] ?? '')))
  if (names.size === 0) return instance
  const values = new Map<string, string>()
  for (const name of names) {
    const isOurs = name.startsWith(own) || (await isLent(tx, instance.id, name))
    const secret = isOurs ? await secrets.get(tx, organisationId, name) : null
    if (secret === null) throw new Error(`the secret ${name} of instance ${instance.id} is missing`)
    values.set(name, secret)
  }
  const fill = (text: string) =>
    text.replace(MARK, (mark, isQuoted: string | undefined, name: string) => {
      const secret = values.get(name) ?? mark
      return isQuoted ? quoted(secret) : secret
    })
  return {
    ...instance,
    spec: {
      ...spec,
      environment: Object.fromEntries(
        Object.entries(spec.environment).map(([key, text]) => [key, fill(text)]),
      ),
      command: spec.command.map(fill),
      files: spec.files.map((it) => ({ ...it, content: fill(it.content) })),
    },
  }
}
