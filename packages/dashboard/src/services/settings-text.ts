/** Tags and replicas as they are written in their fields. */
import * as m from '../messages/index.ts'

export const tagsOf = (text: string): string[] => [
  ...new Set(
    text
      .split(/[,\s]+/)
      .map((it) => it.trim())
      .filter(Boolean),
  ),
]
export const tagsProblem = (text: string) =>
  tagsOf(text).every((tag) => /^[\w.:-]{1,60}$/.test(tag)) && tagsOf(text).length <= 30
    ? undefined
    : m.serviceTagsWrong
export const replicasProblem = (text: string) =>
  /^\d{1,2}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= 20
    ? undefined
    : m.serviceReplicasWrong

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/
export function installNameProblem(name: string, taken: readonly string[]): string | undefined {
  if (!NAME.test(name)) return m.installNameWrong
  return taken.includes(name) ? m.installNameTaken : undefined
}
/** The template's id, with a number where it is taken: what the server would choose, too. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted
  for (let number = 2; ; number++) if (!taken.includes(`${wanted}-${number}`)) return `${wanted}-${number}`
}
/** Where a service of this name will be opened, told from where others are; null: no other is open yet. */
export function addressFor(
  name: string,
  others: readonly { name: string; url: string | null }[],
): string | null {
  for (const it of others) {
    if (!it.url || !URL.canParse(it.url)) continue
    const { protocol, host } = new URL(it.url)
    if (host.startsWith(`${it.name}.`)) return `${protocol}//${name}${host.slice(it.name.length)}`
  }
  return null
}
