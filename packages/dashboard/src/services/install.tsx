/** Adds a service: what it is, what it asks, what it uses, where it will be. */
import type { CatalogEntry } from '@kalnet/contracts/catalog'
import { useMutation, useQuery } from '@tanstack/react-query'
import { BadgeCheck, Plus, TriangleAlert } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { useLocation } from 'wouter'
import { call, ROUTES } from '../api.ts'
import { Facts } from '../catalog/facts.tsx'
import css from '../catalog/launch.module.css'
import { begin, finish, missing, Questions } from '../catalog/questions.tsx'
import { type Place, Where } from '../catalog/where.tsx'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { know } from './actions.ts'
import { Doors, Uses } from './install-parts.tsx'
import own from './page.module.css'
import { servicesQuery } from './queries.ts'
import { freeName, installNameProblem, replicasProblem } from './settings-text.ts'

export default function Install({ entry, onClose }: { entry: CatalogEntry; onClose: () => void }) {
  const [, go] = useLocation()
  const services = useQuery(servicesQuery).data?.items ?? []
  const taken = services.map(({ name }) => name)
  const [written, setName] = useState<string | null>(null)
  const [title, setTitle] = useState('')
  const [platform, setPlatform] = useState<Place>('auto')
  const [replicas, setReplicas] = useState('1')
  const [given, setGiven] = useState(() => begin(entry.inputs))
  const [uses, setUses] = useState<Record<string, string>>({})
  const [tried, setTried] = useState(false)
  const name = written ?? freeName(entry.id, taken)
  const nameWrong = installNameProblem(name, taken)
  const lacks = entry.dependencies.filter((it) => it.required && !uses[it.name])
  const install = useMutation({
    mutationFn: () =>
      call(ROUTES.services.install, {
        body: {
          templateId: entry.id,
          name,
          title: title.trim() || undefined,
          answers: finish(entry.inputs, given),
          replicas: Number(replicas),
          platform: platform === 'auto' ? undefined : platform,
          dependencies: uses,
        },
        idempotencyKey: crypto.randomUUID(),
      }),
    onSuccess: (service) => {
      know(service)
      void queryClient.invalidateQueries({ queryKey: ['routes'] })
      toast({ tone: 'good', text: m.installBegun(service.title) })
      go(`/services/${service.id}`)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (nameWrong || missing(entry.inputs, given) || lacks.length > 0 || replicasProblem(replicas)) return
    install.mutate()
  }
  return (
    <Dialog title={entry.name} onClose={onClose} place="side">
      <div className={css.title}>
        <img src={entry.icon} alt="" width="64" height="64" />
        {entry.proved && (
          <Badge tone="good" icon={<BadgeCheck aria-hidden />}>
            {m.proved}
          </Badge>
        )}
      </div>
      {!entry.proved && (
        <div className={own.unproved}>
          <TriangleAlert aria-hidden />
          <p>
            <strong>{m.serviceUnproved}.</strong> {m.serviceUnprovedText}
          </p>
        </div>
      )}
      <p className={css.text}>{entry.description || entry.summary}</p>
      {entry.deprecated && <p className={own.note}>{entry.deprecated}</p>}
      <form className={css.form} onSubmit={submit} noValidate>
        {install.error && <ErrorBox problem={install.error} />}
        <Field
          label={m.installName}
          help={m.installNameHelp}
          maxLength={63}
          value={name}
          onChange={setName}
          problem={tried || written !== null ? nameWrong : undefined}
        />
        <Doors entry={entry} name={name} services={services} />
        <Field
          label={m.installTitle}
          help={m.serviceTitleHelp}
          placeholder={entry.name}
          maxLength={60}
          value={title}
          onChange={setTitle}
        />
        <Questions inputs={entry.inputs} given={given} tried={tried} onChange={setGiven} />
        <Uses entry={entry} services={services} value={uses} tried={tried} onChange={setUses} />
        {entry.replicasMost > 1 && (
          <Field
            label={m.installReplicas}
            help={m.serviceReplicasHelp}
            inputMode="numeric"
            maxLength={2}
            value={replicas}
            onChange={setReplicas}
            problem={tried ? replicasProblem(replicas) : undefined}
          />
        )}
        <Where entry={entry} value={platform} onChange={setPlatform} />
        <Button type="submit" look="primary" wide isPending={install.isPending} icon={<Plus aria-hidden />}>
          {m.install}
        </Button>
      </form>
      <Facts entry={entry} />
    </Dialog>
  )
}
