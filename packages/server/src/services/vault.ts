/** Secrets of services: made at random, sealed under the service's name, read only on the way to a controller (instances/fill.ts). */
import { randomBytes } from 'node:crypto'
import type { Answers, ServiceTemplate } from '@kalnet/contracts/template'
import { checkText, refuse, SEALED } from '../catalog/resolve.ts'
import { answerSecret } from '../catalog/resolve-service.ts'
import type { Secrets } from '../core/secrets.ts'
import type { Tx } from '../core/store.ts'
import { secretName } from '../instances/fill.ts'
import { isWhole, type Whole } from './shape.ts'

type Owner = Pick<Whole['row'], 'organisation_id' | 'name'>

export function createVault({ secrets }: { secrets: Secrets }) {
  const keep = (tx: Tx, owner: Owner, name: string, secret: string) =>
    secrets.put(tx, owner.organisation_id, secretName(owner.name, name), secret)
  return {
    keep,
    /** Those that are there stay: data was made with them. */
    async make(tx: Tx, owner: Owner, template: ServiceTemplate): Promise<void> {
      for (const { name, bytes } of template.secrets) {
        const there = await secrets.get(tx, owner.organisation_id, secretName(owner.name, name))
        if (there === null) await keep(tx, owner, name, randomBytes(bytes).toString('base64url'))
      }
    },
    /**
     * Answers as they are kept: without the secrets among them, which are sealed, and of which only `SEALED` is said. What is not answered
     * stays as `before`; nothing ('') takes it away. Throws answers.invalid.
     */
    async seal(
      tx: Tx,
      owner: Owner,
      template: ServiceTemplate,
      given: Answers,
      before: Answers = {},
    ): Promise<Answers> {
      const kept = { ...given }
      for (const input of template.inputs) {
        const { name } = input
        const answer = given[name]
        if (input.type !== 'secret') continue
        delete kept[name]
        if (answer === '') continue
        if (answer === undefined || answer === SEALED) {
          if (before[name] === SEALED) kept[name] = SEALED
          else if (answer === SEALED) throw refuse(input, 'is not text')
          continue
        }
        if (typeof answer !== 'string') throw refuse(input, 'is not text')
        await keep(tx, owner, answerSecret(name), checkText(input, answer))
        kept[name] = SEALED
      }
      return kept
    },
    async empty(tx: Tx, { row, releases }: Whole): Promise<void> {
      const names = releases.flatMap(({ content }) =>
        isWhole(content)
          ? [
              ...content.template.secrets.map((it) => it.name),
              ...content.template.inputs.map((it) => answerSecret(it.name)),
            ]
          : [],
      )
      for (const name of new Set([...names, 'openid']))
        await secrets.drop(tx, row.organisation_id, secretName(row.name, name))
    },
  }
}
export type Vault = ReturnType<typeof createVault>
