/** Who used a word: the one of that name that was not there before it was made. Pure. */
import type { Controller } from '@kalnet/contracts/controller'

type Joined = Pick<Controller, 'id' | 'name' | 'state' | 'fingerprints'>
export const joinedBy = (items: readonly Joined[], name: string, before: ReadonlySet<string>) =>
  items.find((it) => it.name === name && !before.has(it.id))
