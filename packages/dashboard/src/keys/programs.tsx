/** Service accounts, for stewards: programs that belong to nobody, each with its keys. */
import { useQuery } from '@tanstack/react-query'
import { Bot, Plus } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox } from '../ui/parts.tsx'
import css from './keys.module.css'
import { ListComing } from './list.tsx'
import { ProgramCard } from './program-card.tsx'
import { programsQuery } from './queries.ts'

const AddProgram = later(() => import('./add-program.tsx'))

export function Programs() {
  const { data, error, isPending, refetch } = useQuery(programsQuery)
  const [adding, setAdding] = useState(false)
  const add = (
    <Button icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.programAdd}
    </Button>
  )
  return (
    <section className={css.section} aria-label={m.programs}>
      <div className={css.head}>
        <div>
          <h2>{m.programs}</h2>
          <p className={css.sub}>{m.programsText}</p>
        </div>
        {data && data.items.length > 0 && add}
      </div>
      {isPending && <ListComing />}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty icon={<Bot aria-hidden />} title={m.programsEmpty} text={m.programsEmptyText} next={add} />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.programs}>
          {data.items.map((account) => (
            <li key={account.id}>
              <ProgramCard account={account} />
            </li>
          ))}
        </ul>
      )}
      {adding && <AddProgram onClose={() => setAdding(false)} />}
    </section>
  )
}
