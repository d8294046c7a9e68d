/** Services: all that runs the whole time, how it is, and the way to more. */
import type { Service } from '@kalnet/contracts/service'
import { useQuery } from '@tanstack/react-query'
import { Boxes, Plus, SearchX } from 'lucide-react'
import { useState } from 'react'
import { Group } from 'react-aria-components/Group'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { useTitle } from '../shell/use-title.ts'
import { Button, LinkButton } from '../ui/button.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { Search } from '../ui/search.tsx'
import { ServiceCard } from './card.tsx'
import { find, type Kind, openable } from './facts.ts'
import { servicesQuery } from './queries.ts'
import css from './services.module.css'

const KINDS: Record<Kind, string> = {
  all: m.servicesAll,
  up: m.servicesUp,
  trouble: m.servicesTrouble,
  down: m.servicesDown,
}
const ADD = '/launch?show=services'
const AddButton = () => (
  <LinkButton href={ADD} look="primary" icon={<Plus aria-hidden />}>
    {m.servicesInstall}
  </LinkButton>
)

/** What belongs to Kalnet itself is there from the first day, and least of interest. */
const partsLast = (one: Service, other: Service) =>
  Number(one.kind === 'platform') - Number(other.kind === 'platform')

function List({ services, keeps }: { services: Service[]; keeps: boolean }) {
  const [text, setText] = useState('')
  const [kind, setKind] = useState<Kind>('all')
  const found = find(services, text, kind)
  const clear = () => {
    setText('')
    setKind('all')
  }
  return (
    <>
      {services.length > 1 && (
        <div className={css.tools}>
          <div className={css.search}>
            <Search label={m.servicesSearch} value={text} onChange={setText} />
          </div>
          {keeps && (
            <Group aria-label={m.servicesFilter} className={css.chips}>
              {(Object.keys(KINDS) as Kind[]).map((it) => (
                <button
                  key={it}
                  type="button"
                  className={css.chip}
                  aria-pressed={kind === it}
                  onClick={() => setKind(it)}
                >
                  {KINDS[it]}
                </button>
              ))}
            </Group>
          )}
        </div>
      )}
      {found.length > 0 && (
        <ul className={css.grid} aria-label={m.servicesList}>
          {found.map((service) => (
            <li key={service.id}>
              <ServiceCard service={service} />
            </li>
          ))}
        </ul>
      )}
      {services.length > 0 && found.length === 0 && (
        <Empty
          icon={<SearchX aria-hidden />}
          title={m.servicesNone}
          text={m.servicesNoneText}
          next={<Button onPress={clear}>{m.servicesClear}</Button>}
        />
      )}
    </>
  )
}

export default function Services() {
  useTitle(m.services)
  const me = useMe()
  const { data, error, isPending, refetch } = useQuery(servicesQuery)
  const keeps = may(me, 'service.operate')
  const services = data && (keeps ? data.items : openable(data.items)).toSorted(partsLast)
  const own = services?.filter(({ kind }) => kind !== 'platform')
  const adds = may(me, 'service.manage')
  return (
    <div className={css.page}>
      <header className={css.head}>
        <div>
          <h1>{m.services}</h1>
          <p className={css.sub}>{m.servicesText}</p>
        </div>
        {adds && own && own.length > 0 && <AddButton />}
      </header>
      {isPending && (
        <div className={css.grid} aria-busy="true">
          <Skeleton height="190px" />
          <Skeleton height="190px" />
          <Skeleton height="190px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {own?.length === 0 && (
        <Empty
          icon={<Boxes aria-hidden />}
          title={adds ? m.servicesEmpty : m.servicesEmptyOthers}
          text={adds ? m.servicesEmptyText : m.servicesEmptyOthersText}
          next={adds && <AddButton />}
        />
      )}
      {services && <List services={services} keeps={keeps} />}
    </div>
  )
}
