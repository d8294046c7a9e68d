/** `kalnet service secret`: a password that was made for a service, for people who need it elsewhere. */
import { serviceSecretRoutes } from '@kalnet/contracts/service-secret'
import type { Context } from '../context.ts'
import { usage } from '../problem.ts'
import { findService } from './service-found.ts'

export async function showSecret(it: Context, wanted: string, name: string | undefined): Promise<void> {
  const { id, name: service } = await findService(it, wanted)
  const { items } = await it.api.call(serviceSecretRoutes.list, { params: { id } })
  const names = items.map((one) => one.name)
  if (names.length === 0)
    throw usage(`${service} has no password that people need.`, 'What it asks for, you chose yourself.')
  const chosen = name ?? (names.length === 1 ? names[0] : undefined)
  if (chosen === undefined || !names.includes(chosen))
    throw usage(
      name ? `${service} has no password called ${name}.` : `${service} has several passwords.`,
      `Name one: ${names.join(', ')}.`,
    )
  const { secret } = await it.api.call(serviceSecretRoutes.show, { params: { id, name: chosen } })
  it.output.result(secret, { id, name: chosen, secret })
}
