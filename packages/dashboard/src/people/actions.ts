/** What can be done to a person, each with its visible end. */
import type { Person } from '@kalnet/contracts/people'
import { call, ROUTES } from '../api.ts'
import { applyEvent } from '../apply-event.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { toast } from '../ui/toast.ts'

/** Our own answer reaches the screen at once; the event that follows says the same. */
export function know(person: Person): Person {
  queryClient.setQueryData(
    ['person', person.id],
    (known: Person | undefined) => known && { ...known, ...person },
  )
  applyEvent(queryClient, 'person.changed', person)
  return person
}

async function switchTo(person: Pick<Person, 'id'>, state: 'off' | 'on'): Promise<Person> {
  return know(await call(ROUTES.people[state], { params: { id: person.id } }))
}

/** At once, with the way back in the notice. */
export async function switchPerson(person: Person): Promise<void> {
  const to = person.state === 'off' ? 'on' : 'off'
  try {
    const { name } = await switchTo(person, to)
    toast({
      tone: 'good',
      text: to === 'off' ? m.switchedOff(name) : m.switchedOn(name),
      action: {
        label: m.undo,
        onPress: () => void switchTo(person, to === 'off' ? 'on' : 'off').catch(tellProblem),
      },
    })
  } catch (problem) {
    tellProblem(problem)
  }
}
