/** A person in two letters, always in the same colour. */
import type { Person } from '@kalnet/contracts/people'
import { Bot } from 'lucide-react'
import type { CSSProperties } from 'react'
import css from './people.module.css'
import { hueOf, initials } from './words.ts'

export function Avatar({ person, large }: { person: Pick<Person, 'id' | 'name' | 'kind'>; large?: boolean }) {
  const hue = { '--hue': hueOf(person.id) } as CSSProperties
  return (
    <span className={large ? `${css.avatar} ${css.large}` : css.avatar} style={hue} aria-hidden>
      {person.kind === 'service' ? <Bot /> : initials(person.name)}
    </span>
  )
}
