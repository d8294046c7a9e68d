/** Narrowing the feed: words, whose, what kind, since when, and who or what was picked from an entry. */
import { SlidersHorizontal, X } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Search } from '../ui/search.tsx'
import css from './activity.module.css'
import type { Filter } from './queries.ts'

export type Kind = 'all' | 'signing' | 'sessions' | 'screens' | 'refused'
export type When = 'any' | 'day' | 'week' | 'month'
interface Picked {
  id: string
  name: string
}
export interface Chosen {
  text: string
  own: boolean
  kind: Kind
  when: When
  actor: Picked | null
  thing: Picked | null
}
export const EVERYTHING: Chosen = { text: '', own: false, kind: 'all', when: 'any', actor: null, thing: null }

const KINDS: Record<Kind, Filter> = {
  all: {},
  signing: { action: 'user.' },
  sessions: { action: 'session.' },
  screens: { action: 'stream.' },
  refused: { outcome: 'refused' },
}
const DAYS: Record<When, number | null> = { any: null, day: 1, week: 7, month: 30 }

/** `today`: the beginning of the minute, so that the same choice asks the same question. */
export function filterOf(chosen: Chosen, now: number): Filter {
  const days = DAYS[chosen.when]
  const minute = Math.floor(now / 60_000) * 60_000
  return {
    ...KINDS[chosen.kind],
    ...(chosen.text.trim() ? { text: chosen.text.trim() } : {}),
    ...(days === null ? {} : { from: new Date(minute - days * 86_400_000).toISOString() }),
    ...(chosen.actor ? { actor: chosen.actor.id } : {}),
    ...(chosen.thing ? { object: chosen.thing.id } : {}),
  }
}

interface FiltersProps {
  chosen: Chosen
  onChange: (next: Chosen) => void
  /** Only for those who see what others do. */
  whose: boolean
}

export function Filters({ chosen, onChange, whose }: FiltersProps) {
  // On a phone the feed comes first; what narrows it is one press away.
  const [open, setOpen] = useState(false)
  const set = (change: Partial<Chosen>) => onChange({ ...chosen, ...change })
  const picked = [
    chosen.actor && { words: m.activityOnlyActor(chosen.actor.name), drop: () => set({ actor: null }) },
    chosen.thing && { words: m.activityOnlyThing(chosen.thing.name), drop: () => set({ thing: null }) },
  ].filter((it) => it !== null)
  return (
    <div className={css.filters}>
      <div className={css.find}>
        <Search label={m.activitySearch} value={chosen.text} onChange={(text) => set({ text })} />
        <div className={css.more}>
          <Button
            icon={<SlidersHorizontal aria-hidden />}
            aria-expanded={open}
            aria-controls="activity-choices"
            onPress={() => setOpen(!open)}
          >
            {m.activityFilter}
          </Button>
        </div>
      </div>
      <div id="activity-choices" className={css.choices} data-open={open || undefined}>
        {whose && (
          <Choice
            label={m.activityWhose}
            value={chosen.own ? 'mine' : 'all'}
            options={[
              { value: 'all', label: m.activityEverybody },
              { value: 'mine', label: m.activityMine },
            ]}
            onChange={(value) => set({ own: value === 'mine', actor: null })}
          />
        )}
        <Choice
          label={m.activityKind}
          value={chosen.kind}
          options={[
            { value: 'all', label: m.activityAll },
            { value: 'signing', label: m.activitySigningIn },
            { value: 'sessions', label: m.activitySessions },
            { value: 'screens', label: m.activityScreens },
            { value: 'refused', label: m.activityRefused },
          ]}
          onChange={(kind) => set({ kind })}
        />
        <Choice
          label={m.activityWhen}
          value={chosen.when}
          options={[
            { value: 'any', label: m.activityAnyTime },
            { value: 'day', label: m.activityDay },
            { value: 'week', label: m.activityWeek },
            { value: 'month', label: m.activityMonth },
          ]}
          onChange={(when) => set({ when })}
        />
      </div>
      {picked.length > 0 && (
        <div className={css.picked}>
          {picked.map(({ words, drop }) => (
            <button
              key={words}
              type="button"
              className={css.chip}
              onClick={drop}
              aria-label={m.activityWithout(words)}
            >
              {words}
              <X aria-hidden />
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
