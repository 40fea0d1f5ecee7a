"""The table of permissions, written down apart from the code that keeps them.

One line for each method of each rule: who may, the method, the rule, what stands in it, what is sent.

- who: ``all``; ``donor`` (signed in), ``owner`` (whose booking it is, nobody else: 404), ``visitor`` (the
  same where nobody is asked to sign in); ``half`` (staff
  after the first step); ``staff`` (any role); or the letters of the roles:
  **A**dministrator, **M**anager, **R**egistrar, **S**cheduler, **O**perator, a**N**alyst, **C**ontrol (security officer)
- ``uid=request`` puts that thing of our organization's into the rule or the query. Staff of another
  organization and strangers get 404 for it; staff of a sister branch too, where it belongs to a branch.
- ``+q=x`` is a field of the form.
- ``nothing``: the rule is there, but not this page: 404 for those who may, too.
- ``=410``: the status of the answer, where it is not an ordinary one.
- ``narrowed``: strangers get an answer, which is about nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.models.enums import Role

LETTERS = {
    "A": Role.ADMINISTRATOR,
    "M": Role.MANAGER,
    "R": Role.REGISTRAR,
    "S": Role.SCHEDULER,
    "O": Role.OPERATOR,
    "N": Role.ANALYST,
    "C": Role.SECURITY,
}

TABLE = """
all     GET   /static/<path:filename>                   filename=css/tokens.css
all     GET   /bootstrap/static/<path:filename>         filename=css/bootstrap.min.css
all     GET   /leaflet/static/<path:filename>           filename=leaflet.css
all     GET   /healthz
all     GET   /readyz                                   =503

# the public site
all     GET   /
all     GET   /places/<uuid:uid>                        uid=day
donor   GET   /cabinet
donor   GET   /cabinet/events
donor   GET   /cabinet/find-card                        organization=clinic
donor   POST  /cabinet/find-card                        organization=clinic
donor   GET   /cabinet/district
donor   GET   /cabinet/family
donor   GET   /cabinet/family/add/<relation>            relation=ward
donor   POST  /cabinet/family/add/<relation>            relation=ward
donor   POST  /cabinet/family/answer
owner   POST  /cabinet/family/<uuid:uid>/withdraw       uid=child
owner   GET   /cabinet/family/<uuid:uid>/attachment     uid=child
owner   POST  /cabinet/family/<uuid:uid>/attachment     uid=child =400
all     GET   /join-family/<token>                      token=join_token
all     POST  /join-family/<token>                      token=join_token =400
owner   GET   /visits/<uuid:uid>/move                   uid=visit_booked
owner   POST  /visits/<uuid:uid>/move                   uid=visit_booked +slot=time =409
donor   GET   /cabinet/booking
donor   GET   /cabinet/card
owner   GET   /cabinet/card/<uuid:uid>/confirmation     uid=person
owner   POST  /cabinet/card/<uuid:uid>/confirmation     uid=person =409
owner   GET   /cabinet/card/<uuid:uid>/consent.pdf      uid=person
owner   POST  /cabinet/card/<uuid:uid>/confirmation/withdraw   uid=person
owner   GET   /cabinet/documents/<uuid:uid>             uid=copy
owner   GET   /cabinet/visits/<uuid:uid>/review         uid=visit_over
owner   POST  /cabinet/visits/<uuid:uid>/review         uid=visit_over +stars=5
all     GET   /review/<token>                           token=survey_token
all     POST  /review/<token>                           token=survey_token +stars=5
donor   POST  /places/<uuid:uid>                        uid=day +slot=slot
all     GET   /register                                 centre=root
all     POST  /register                                 centre=root
all     GET   /register/patient                         organization=clinic
all     POST  /register/patient                         organization=clinic
all     GET   /register/sent
all     POST  /register/resend                          +email=nobody@example.org
all     GET   /confirm-email/<token>                    token=confirm_token
all     POST  /confirm-email/<token>                    token=confirm_token
all     GET   /sign-in
all     POST  /sign-in
all     GET   /sign-in/code
all     POST  /sign-in/code
all     POST  /sign-in/code/again
all     GET   /sign-in/new-password
all     POST  /sign-in/new-password
all     GET   /sign-in/esia
all     POST  /sign-in/esia
all     GET   /sign-in/esia/back                        state=x =303
all     GET   /sign-in/esia/agree                       =303
all     POST  /sign-in/esia/agree                       =303
all     POST  /sign-out
all     GET   /forgot-password
all     POST  /forgot-password                          +email=nobody@example.org
all     GET   /forgot-password/sent
all     GET   /reset-password/<token>                   token=reset_token
all     POST  /reset-password/<token>                   token=reset_token
all     GET   /districts                                organization=clinic street=x house=1 =422
all     GET   /settings
all     POST  /settings
all     GET   /information                              of=root
all     GET   /FAQ                                      of=root
all     GET   /hotline                                  of=root
all     GET   /news                                     of=root
all     GET   /pages/<slug>                             slug=news of=root
all     GET   /feedback                                 of=root
all     POST  /feedback                                 of=root
all     GET   /feedback/sent
donor   GET   /cabinet/waiting
donor   GET   /waiting/join
donor   POST  /waiting/join
owner   POST  /cabinet/waiting/<uuid:uid>/leave         uid=waits
owner   GET   /cabinet/offers/<uuid:uid>                uid=offer
owner   POST  /cabinet/offers/<uuid:uid>                uid=offer
all     GET   /offers/<uuid:uid>/<key>                  uid=offer key=offer_key
all     POST  /offers/<uuid:uid>/<key>                  uid=offer key=offer_key
donor   GET   /profile
donor   POST  /profile/code                             +donor_code=700700
donor   POST  /profile/password
donor   GET   /profile/email
donor   POST  /profile/email
donor   GET   /profile/email/<token>                    token=x =410
donor   POST  /profile/email/<token>                    token=x =410
donor   GET   /profile/phone
donor   POST  /profile/phone
donor   GET   /profile/phone/code
donor   POST  /profile/phone/code
donor   GET   /profile/policy
donor   POST  /profile/policy
donor   GET   /profile/notices
donor   POST  /profile/notices
donor   POST  /profile/medication
donor   GET   /profile/rights
owner   GET   /profile/consents/<uuid:tenant>/<purpose>/withdraw   tenant=root purpose=medication
owner   POST  /profile/consents/<uuid:tenant>/<purpose>/withdraw   tenant=root purpose=medication
donor   GET   /profile/consents/<uuid:tenant>/give      tenant=root
donor   POST  /profile/consents/<uuid:tenant>/give      tenant=root
donor   GET   /profile/data
donor   POST  /profile/data
donor   GET   /profile/data/<token>                     token=x =410
donor   POST  /profile/data/<token>                     token=x =410
donor   GET   /profile/delete
donor   POST  /profile/delete
all     GET   /notices/stop/<token>                     token=stop_token
all     POST  /notices/stop/<token>                     token=stop_token
donor   POST  /profile/second-factor
donor   POST  /profile/second-factor/off
donor   GET   /profile/second-factor/confirm
donor   POST  /profile/second-factor/confirm
donor   POST  /profile/devices
donor   GET   /profile/esia/unlink
donor   POST  /profile/esia/unlink
donor   GET   /bookings
owner   GET   /bookings/<uuid:uid>                      uid=request
owner   GET   /bookings/<uuid:uid>/confirm              uid=held
owner   POST  /bookings/<uuid:uid>/confirm              uid=held
owner   POST  /bookings/<uuid:uid>/extend               uid=held
owner   POST  /bookings/<uuid:uid>/close                uid=held
owner   GET   /bookings/<uuid:uid>/cancel               uid=request
owner   POST  /bookings/<uuid:uid>/cancel               uid=request
owner   GET   /bookings/<uuid:uid>/ticket.pdf           uid=request
owner   GET   /bookings/<uuid:uid>/visit.ics            uid=request

all     GET   /appointment
all     POST  /appointment
all     GET   /consent/<uuid:tenant>                    tenant=clinic
all     POST  /visits                                   +slot=time
all     GET   /visits
all     POST  /visits/find                              =400
all     POST  /visits/leave
all     GET   /visits/end
all     POST  /visits/stay
visitor GET   /visits/<uuid:uid>                        uid=visit_booked
visitor POST  /visits/<uuid:uid>/consent                uid=visit_held =409
visitor POST  /visits/<uuid:uid>/identify               uid=visit_held
visitor POST  /visits/<uuid:uid>/phone                  uid=visit_held
visitor POST  /visits/<uuid:uid>/confirm                uid=visit_held
visitor POST  /visits/<uuid:uid>/extend                 uid=visit_held
visitor POST  /visits/<uuid:uid>/close                  uid=visit_held
visitor POST  /visits/<uuid:uid>/code                   uid=visit_booked =400
visitor POST  /visits/<uuid:uid>/code/again             uid=visit_booked =409
visitor GET   /visits/<uuid:uid>/cancel                 uid=visit_booked
visitor POST  /visits/<uuid:uid>/cancel                 uid=visit_booked
visitor GET   /visits/<uuid:uid>/ticket.pdf             uid=visit_booked
visitor GET   /visits/<uuid:uid>/visit.ics              uid=visit_booked

all     GET   /settlements
all     GET   /organizations
all     GET   /organizations/<uuid:uid>                 uid=clinic
all     GET   /institutions
all     GET   /institutions/<uuid:uid>                  uid=clinic
all     GET   /institutions/<uuid:uid>/services         uid=clinic
all     GET   /institutions/<uuid:uid>/doctors/<uuid:role>   uid=clinic role=doctor_role
all     GET   /institutions/<uuid:uid>/doctors/<uuid:role>/reviews   uid=clinic role=doctor_role

# the mailbox, which exists in demos only
all     GET   /mailbox
all     GET   /mailbox/<uuid:uid>                       uid=letter
all     GET   /mailbox/<uuid:uid>/html                  uid=letter
all     GET   /mailbox/<uuid:uid>/<int:number>          uid=letter number=1

# the door of the back office
all     GET   /staff/sign-in/
all     POST  /staff/sign-in/
all     POST  /staff/sign-out/
all     GET   /staff/invitation/<token>                 token=invite_token
all     GET   /staff/invitation/                        =410
all     POST  /staff/invitation/
half    GET   /staff/second-step/
half    POST  /staff/second-step/
half    GET   /staff/second-step/set-up/
half    POST  /staff/second-step/set-up/
staff   GET   /staff/password/
staff   POST  /staff/password/
staff   GET   /staff/

# sign-ins of patients
RO      GET   /staff/accounts/
RO      GET   /staff/accounts/search/
RO      POST  /staff/accounts/search/                   +q=Канар narrowed
RO      GET   /staff/accounts/<uuid:uid>/               uid=person
RO      POST  /staff/accounts/<uuid:uid>/issue/         uid=person
RO      POST  /staff/accounts/<uuid:uid>/<uuid:account>/reissue/   uid=person account=account
RO      POST  /staff/accounts/<uuid:uid>/<uuid:account>/<what>/   uid=person account=account what=block

# requests
MRO     GET   /staff/queue/                             open=request
R       POST  /staff/queue/<uid>/approve                uid=request
R       POST  /staff/queue/<uid>/reject                 uid=request +reason=reason
R       POST  /staff/queue/<uid>/undo                   uid=booked
R       GET   /staff/queue-bulk/                        do=approve pick=request narrowed
R       POST  /staff/queue-bulk/                        do=approve pick=request narrowed
MRO     GET   /staff/ticket/
MRO     POST  /staff/ticket/                            +q=number
MRO     GET   /staff/ticket/<uid>                       uid=request
MRO     GET   /staff/ticket/donor/<uid>                 uid=person
R       POST  /staff/ticket/<uid>/approve               uid=request
R       POST  /staff/ticket/<uid>/reject                uid=request +reason=reason
R       POST  /staff/ticket/<uid>/undo                  uid=booked
RO      POST  /staff/ticket/<uid>/cancel                uid=request +comment=x

MRO     GET   /staff/ticket/<uid>/ticket.pdf            uid=request
MRO     GET   /staff/visits/                            open=visit_request
R       POST  /staff/visits/<uid>/approve               uid=visit_request
R       POST  /staff/visits/<uid>/reject                uid=visit_request +reason=reason
R       POST  /staff/visits/<uid>/undo                  uid=visit_request
R       GET   /staff/visits-bulk/                       do=approve pick=visit_request narrowed
R       POST  /staff/visits-bulk/                       do=approve pick=visit_request narrowed

# the registry desk
MRO     GET   /staff/desk/
MRO     GET   /staff/desk/search/
MRO     POST  /staff/desk/search/                       +q=Канар narrowed
RO      GET   /staff/desk/new/                          slot=time
RO      POST  /staff/desk/new/                          slot=time
RO      GET   /staff/desk/book/<uuid:slot>/             slot=time person=person
RO      POST  /staff/desk/book/<uuid:slot>/             slot=time person=person
RO      GET   /staff/desk/move/<uuid:uid>/<uuid:slot>/  uid=visit_booked slot=time
RO      POST  /staff/desk/move/<uuid:uid>/<uuid:slot>/  uid=visit_booked slot=time
MR      POST  /staff/desk/link/<uuid:uid>/              uid=clinic +lost=1

# attachments, families, referrals
R       GET   /staff/attachments/
R       POST  /staff/attachments/<uuid:uid>/accept/     uid=attachment
R       GET   /staff/attachments/<uuid:uid>/refuse/     uid=attachment
R       POST  /staff/attachments/<uuid:uid>/refuse/     uid=attachment
R       GET   /staff/attachments/<uuid:uid>/end/        uid=attachment
R       POST  /staff/attachments/<uuid:uid>/end/        uid=attachment
R       GET   /staff/attachments/card/<uuid:uid>/       uid=person
R       POST  /staff/attachments/card/<uuid:uid>/       uid=person
R       GET   /staff/families/
R       POST  /staff/families/<uuid:account>/<uuid:person>/   account=asker person=relative
R       GET   /staff/families/card/<uuid:uid>/         uid=child
R       GET   /staff/families/<uuid:account>/<uuid:person>/end/   account=asker person=child
R       POST  /staff/families/<uuid:account>/<uuid:person>/end/   account=asker person=child
R       GET   /staff/referrals/
R       GET   /staff/referrals/card/<uuid:uid>/         uid=person
R       POST  /staff/referrals/card/<uuid:uid>/         uid=person
R       POST  /staff/referrals/<uuid:uid>/withdraw/     uid=referral

# donors and their records
MRO     GET   /staff/donors/
MRO     GET   /staff/donors/search/
MRO     POST  /staff/donors/search/                     +q=Канар narrowed
MRO     GET   /staff/donors/<uuid:uid>/                 uid=person
MRO     GET   /staff/donors/<uuid:uid>/phone/           uid=person narrowed
MRO     POST  /staff/donors/<uuid:uid>/phone/           uid=person
R       GET   /staff/donors/<uuid:uid>/correct/         uid=person
R       POST  /staff/donors/<uuid:uid>/correct/         uid=person
R       GET   /staff/donors/<uuid:uid>/email/           uid=person
R       POST  /staff/donors/<uuid:uid>/email/           uid=person
R       GET   /staff/donors/<uuid:uid>/deferral/        uid=person
R       POST  /staff/donors/<uuid:uid>/deferral/        uid=person
R       GET   /staff/donors/<uuid:uid>/deferral/<uuid:fact>/withdraw/   uid=person fact=deferral
R       POST  /staff/donors/<uuid:uid>/deferral/<uuid:fact>/withdraw/   uid=person fact=deferral
R       GET   /staff/donors/<uuid:uid>/donation/        uid=person
R       POST  /staff/donors/<uuid:uid>/donation/        uid=person
R       GET   /staff/donors/<uuid:uid>/donation/<uuid:fact>/remove/     uid=person fact=donation
R       POST  /staff/donors/<uuid:uid>/donation/<uuid:fact>/remove/     uid=person fact=donation
R       GET   /staff/donors/<uuid:uid>/documents/       uid=person
R       POST  /staff/donors/<uuid:uid>/documents/       uid=person
R       GET   /staff/donors/<uuid:uid>/documents/<uuid:fact>/correct/    uid=person fact=document
R       POST  /staff/donors/<uuid:uid>/documents/<uuid:fact>/correct/    uid=person fact=document
R       GET   /staff/donors/<uuid:uid>/documents/<uuid:fact>/withdraw/   uid=person fact=document
R       POST  /staff/donors/<uuid:uid>/documents/<uuid:fact>/withdraw/   uid=person fact=document
MRO     GET   /staff/donors/<uuid:uid>/documents/<uuid:fact>/show/       uid=person fact=document narrowed
MRO     POST  /staff/donors/<uuid:uid>/documents/<uuid:fact>/show/       uid=person fact=document
R       GET   /staff/donors/<uuid:uid>/prescriptions/   uid=person
R       POST  /staff/donors/<uuid:uid>/prescriptions/   uid=person
R       GET   /staff/donors/<uuid:uid>/prescriptions/<uuid:fact>/stop/   uid=person fact=prescription
R       POST  /staff/donors/<uuid:uid>/prescriptions/<uuid:fact>/stop/   uid=person fact=prescription
R       GET   /staff/donors/<uuid:uid>/link/            uid=person
R       POST  /staff/donors/<uuid:uid>/link/            uid=person
R       GET   /staff/donors/<uuid:uid>/unlink/          uid=linked
R       POST  /staff/donors/<uuid:uid>/unlink/          uid=linked
MRO     GET   /staff/records/
MRO     GET   /staff/records/search/
MRO     POST  /staff/records/search/                    +q=Канар narrowed
MRO     GET   /staff/records/<uuid:uid>/                uid=record
R       GET   /staff/imports/
R       POST  /staff/imports/
R       GET   /staff/imports/example.csv
R       GET   /staff/imports/<uuid:uid>/                uid=import
R       POST  /staff/imports/<uuid:uid>/apply/          uid=import
R       GET   /staff/imports/<uuid:uid>/discard/        uid=import
R       POST  /staff/imports/<uuid:uid>/discard/        uid=import

# donor days
AMRSON  GET   /staff/days/
AMRSON  GET   /staff/days/<uuid:uid>/                   uid=day
MS      POST  /staff/days/<uuid:uid>/places/            uid=day
MS      POST  /staff/days/<uuid:uid>/pause/             uid=day
MS      POST  /staff/days/<uuid:uid>/resume/            uid=day
MS      GET   /staff/days/<uuid:uid>/close/             uid=day
MS      POST  /staff/days/<uuid:uid>/close/             uid=day
MS      GET   /staff/publishing/
MS      GET   /staff/publishing/new/
MS      POST  /staff/publishing/new/
MS      GET   /staff/publishing/<uuid:uid>/             uid=draft
MS      GET   /staff/publishing/<uuid:uid>/edit/        uid=draft
MS      POST  /staff/publishing/<uuid:uid>/edit/        uid=draft
MS      POST  /staff/publishing/<uuid:uid>/publish/     uid=draft
MS      POST  /staff/publishing/<uuid:uid>/schedule/    uid=draft
MS      POST  /staff/publishing/<uuid:uid>/unschedule/  uid=draft
MS      POST  /staff/publishing/<uuid:uid>/undo/        uid=draft
MS      GET   /staff/publishing/<uuid:uid>/discard/     uid=draft
MS      POST  /staff/publishing/<uuid:uid>/discard/     uid=draft
MS      POST  /staff/publishing/<uuid:uid>/copy/        uid=draft
MS      GET   /staff/pauses/
MS      GET   /staff/pauses/new/
MS      POST  /staff/pauses/new/
MS      POST  /staff/pauses/<uuid:uid>/end/             uid=pause

# the directory
AMRSON  GET   /staff/directory/departments/
AMRSON  GET   /staff/directory/departments/details/           id=department
AM      GET   /staff/directory/departments/new/
AM      POST  /staff/directory/departments/new/
AM      GET   /staff/directory/departments/edit/              id=department
AM      POST  /staff/directory/departments/edit/              id=department
AMRSON  POST  /staff/directory/departments/search/            nothing
AMRSON  POST  /staff/directory/departments/export/            nothing +format=csv
AMRSON  GET   /staff/directory/departments/do/<name>/         name=delete id=department nothing
AMRSON  POST  /staff/directory/departments/do/<name>/         name=delete id=department nothing
AMRSON  GET   /staff/directory/practitioners/
AMRSON  GET   /staff/directory/practitioners/details/         id=doctor
AM      GET   /staff/directory/practitioners/new/
AM      POST  /staff/directory/practitioners/new/
AM      GET   /staff/directory/practitioners/edit/            id=doctor
AM      POST  /staff/directory/practitioners/edit/            id=doctor
AMRSON  POST  /staff/directory/practitioners/search/          nothing
AMRSON  POST  /staff/directory/practitioners/export/          nothing +format=csv
AMRSON  GET   /staff/directory/practitioners/do/<name>/       name=delete id=doctor nothing
AMRSON  POST  /staff/directory/practitioners/do/<name>/       name=delete id=doctor nothing
AM      GET   /staff/directory/practitioners/role/            id=doctor role=doctor_role
AM      POST  /staff/directory/practitioners/role/            id=doctor role=doctor_role
AM      GET   /staff/directory/practitioners/services/        id=doctor
AM      POST  /staff/directory/practitioners/services/        id=doctor
AMRSON  GET   /staff/directory/services/
AMRSON  GET   /staff/directory/services/details/              id=service
AM      GET   /staff/directory/services/new/
AM      POST  /staff/directory/services/new/
AM      GET   /staff/directory/services/edit/                 id=service
AM      POST  /staff/directory/services/edit/                 id=service
AMRSON  POST  /staff/directory/services/search/               nothing
AMRSON  POST  /staff/directory/services/export/               nothing +format=csv
AMRSON  GET   /staff/directory/services/do/<name>/            name=delete id=service nothing
AMRSON  POST  /staff/directory/services/do/<name>/            name=delete id=service nothing
AMRSON  GET   /staff/directory/specialties/
AMRSON  GET   /staff/directory/specialties/details/           id=specialty narrowed
AM      GET   /staff/directory/specialties/new/               nothing
AM      POST  /staff/directory/specialties/new/               nothing
AM      GET   /staff/directory/specialties/edit/              id=specialty nothing
AM      POST  /staff/directory/specialties/edit/              id=specialty nothing
AMRSON  POST  /staff/directory/specialties/search/            nothing
AMRSON  POST  /staff/directory/specialties/export/            nothing +format=csv
AMRSON  GET   /staff/directory/specialties/do/<name>/         name=delete id=specialty nothing
AMRSON  POST  /staff/directory/specialties/do/<name>/         name=delete id=specialty nothing

# districts
AMRO    GET   /staff/districts/                         of=clinic
AMRO    POST  /staff/districts/export.csv               of=clinic
AM      GET   /staff/districts/new/                     of=clinic
AM      POST  /staff/districts/new/                     of=clinic
AMRO    GET   /staff/districts/<uuid:uid>/              uid=district
AM      POST  /staff/districts/<uuid:uid>/              uid=district
AMRO    GET   /staff/district-streets/                  of=clinic
AMRO    GET   /staff/district-streets/street/           of=clinic key=street
AM      POST  /staff/district-streets/street/           of=clinic key=street
AM      GET   /staff/district-files/                    of=clinic
AM      POST  /staff/district-files/                    of=clinic
AM      GET   /staff/district-files/<uuid:uid>/         uid=district_file
AM      POST  /staff/district-files/<uuid:uid>/apply/   uid=district_file

# addresses: one list for all, changed by who works over the whole installation
AMRSON  GET   /staff/directory/addresses/
AM      POST  /staff/directory/addresses/                     nothing
AMRSON  POST  /staff/directory/addresses/export.csv           settlement=Лесной narrowed
AM      GET   /staff/directory/addresses/<uuid:uid>/          uid=address_file nothing
AM      POST  /staff/directory/addresses/<uuid:uid>/apply/    uid=address_file nothing

AM      GET   /staff/directory/files/
AM      POST  /staff/directory/files/
AM      POST  /staff/directory/files/export/                  nothing
AM      GET   /staff/directory/files/<uuid:uid>/              uid=directory_file
AM      POST  /staff/directory/files/<uuid:uid>/apply/        uid=directory_file
AM      POST  /staff/directory/files/<uuid:uid>/discard/      uid=directory_file

# reports
AMRSN   GET   /staff/reports/
AMRSN   GET   /staff/reports/<name>/                    name=load branch=clinic
AMRSN   POST  /staff/reports/<name>/file/               name=load branch=clinic +format=csv

# practitioners' schedules
AMRSON  GET   /staff/grid/                              branch=clinic
AMRSON  GET   /staff/grid/day/                          role=doctor_role date=2027-03-10
MS      GET   /staff/grid/close/                        role=doctor_role date=2027-03-10
MS      POST  /staff/grid/close/                        role=doctor_role date=2027-03-10 +reason=x
MS      POST  /staff/grid/day/                          role=doctor_role date=2027-03-10 +act=close
MS      GET   /staff/templates/
MS      GET   /staff/templates/new/                     organization=clinic
MS      POST  /staff/templates/new/                     organization=clinic
MS      GET   /staff/templates/<uuid:uid>/              uid=template
MS      POST  /staff/templates/<uuid:uid>/              uid=template
MS      POST  /staff/templates/<uuid:uid>/switch/       uid=template
MS      GET   /staff/sittings/
MS      GET   /staff/sittings/new/                      template=template
MS      POST  /staff/sittings/new/                      template=template
MS      GET   /staff/sittings/week/                     organization=clinic
MS      POST  /staff/sittings/week/                     organization=clinic
MS      GET   /staff/sittings/<uuid:uid>/               uid=plan
MS      GET   /staff/sittings/<uuid:uid>/edit/          uid=plan
MS      POST  /staff/sittings/<uuid:uid>/edit/          uid=plan
MS      POST  /staff/sittings/<uuid:uid>/publish/       uid=plan
MS      POST  /staff/sittings/<uuid:uid>/schedule/      uid=plan
MS      POST  /staff/sittings/<uuid:uid>/unschedule/    uid=plan
MS      POST  /staff/sittings/<uuid:uid>/undo/          uid=plan
MS      POST  /staff/sittings/<uuid:uid>/stop/          uid=plan
MS      GET   /staff/sittings/<uuid:uid>/discard/       uid=plan
MS      POST  /staff/sittings/<uuid:uid>/discard/       uid=plan
MS      POST  /staff/sittings/<uuid:uid>/copy/          uid=plan
MS      GET   /staff/absences/
MS      POST  /staff/absences/                          +whom=doctor_role narrowed
MS      GET   /staff/absences/<uuid:uid>/               uid=absence
MS      POST  /staff/absences/<uuid:uid>/close/         uid=absence
MS      POST  /staff/absences/<uuid:uid>/remove/        uid=absence

# settings
A       GET   /staff/organizations/
A       GET   /staff/organizations/details/             id=branch
A       GET   /staff/organizations/new/
A       POST  /staff/organizations/new/
A       GET   /staff/organizations/edit/                id=branch
A       POST  /staff/organizations/edit/                id=branch
A       POST  /staff/organizations/search/              nothing
A       POST  /staff/organizations/export/              nothing +format=csv
A       GET   /staff/organizations/do/<name>/           name=delete id=branch nothing
A       POST  /staff/organizations/do/<name>/           name=delete id=branch nothing
A       GET   /staff/staff/
A       GET   /staff/staff/details/                     id=colleague
A       GET   /staff/staff/new/
A       POST  /staff/staff/new/
A       GET   /staff/staff/edit/                        id=colleague
A       POST  /staff/staff/edit/                        id=colleague
A       POST  /staff/staff/search/                      +q=Канар narrowed
A       POST  /staff/staff/export/                      nothing +format=csv
A       GET   /staff/staff/do/<name>/                   name=switch-off id=colleague
A       POST  /staff/staff/do/<name>/                   name=switch-off id=colleague
A       POST  /staff/staff/assign/                      id=colleague
A       GET   /staff/staff/withdraw/                    id=colleague role=registrar over=root
A       POST  /staff/staff/withdraw/                    id=colleague role=registrar over=root
A       GET   /staff/policies/
A       GET   /staff/policies/details/                  id=policy
A       GET   /staff/policies/new/
A       POST  /staff/policies/new/
A       GET   /staff/policies/edit/                     id=policy nothing
A       POST  /staff/policies/edit/                     id=policy nothing
A       POST  /staff/policies/search/                   nothing
A       POST  /staff/policies/export/                   nothing +format=csv
A       GET   /staff/policies/do/<name>/                name=delete id=policy
A       POST  /staff/policies/do/<name>/                name=delete id=policy
A       GET   /staff/medical/                           of=root
A       GET   /staff/medical/new/                       of=root
A       POST  /staff/medical/new/                       of=root
A       POST  /staff/medical/checked/                   of=root
AM      GET   /staff/letters/                           of=root
AM      GET   /staff/letters/<kind>/<locale>/           kind=approved locale=ru of=root
AM      POST  /staff/letters/<kind>/<locale>/           kind=approved locale=ru of=root
AM      GET   /staff/letters/<kind>/<locale>/reset/     kind=rejected locale=ru of=root
AM      POST  /staff/letters/<kind>/<locale>/reset/     kind=rejected locale=ru of=root
AM      GET   /staff/consents/                          of=root
AM      GET   /staff/consents/new/                      of=root
AM      POST  /staff/consents/new/                      of=root
AM      GET   /staff/reasons/
AM      GET   /staff/reasons/details/                   id=reason nothing
AM      GET   /staff/reasons/new/
AM      POST  /staff/reasons/new/
AM      GET   /staff/reasons/edit/                      id=reason
AM      POST  /staff/reasons/edit/                      id=reason
AM      POST  /staff/reasons/search/                    nothing
AM      POST  /staff/reasons/export/                    nothing +format=csv
AM      GET   /staff/reasons/do/<name>/                 name=delete id=reason
AM      POST  /staff/reasons/do/<name>/                 name=delete id=reason
AM      GET   /staff/donation-types/
AM      GET   /staff/donation-types/details/            id=type
AM      GET   /staff/donation-types/new/
AM      POST  /staff/donation-types/new/
AM      GET   /staff/donation-types/edit/               id=type
AM      POST  /staff/donation-types/edit/               id=type
AM      POST  /staff/donation-types/search/             nothing
AM      POST  /staff/donation-types/export/             nothing +format=csv
AM      GET   /staff/donation-types/do/<name>/          name=delete id=type nothing
AM      POST  /staff/donation-types/do/<name>/          name=delete id=type nothing

# pages of the site, letters to staff
AM      GET   /staff/pages/                             of=root
AM      GET   /staff/pages/new/                         of=root
AM      POST  /staff/pages/new/                         of=root
AM      GET   /staff/pages/<uuid:uid>/                  uid=page of=root
AM      POST  /staff/pages/<uuid:uid>/                  uid=page of=root
AM      GET   /staff/pages/<uuid:uid>/delete/           uid=page of=root
AM      POST  /staff/pages/<uuid:uid>/delete/           uid=page of=root
AMRO    GET   /staff/feedback/
AMRO    GET   /staff/feedback/<uuid:uid>/               uid=enquiry
AMRO    POST  /staff/feedback/<uuid:uid>/take/          uid=enquiry
AMRO    POST  /staff/feedback/<uuid:uid>/assign/        uid=enquiry
AMRO    GET   /staff/feedback/<uuid:uid>/answer/        uid=enquiry
AMRO    POST  /staff/feedback/<uuid:uid>/answer/        uid=enquiry +answer=Да
AMRO    POST  /staff/feedback/<uuid:uid>/close/         uid=enquiry

# the waiting list
RSO     GET   /staff/waiting/
RSO     GET   /staff/waiting/details/                   id=waits
RSO     GET   /staff/waiting/new/                       nothing
RSO     POST  /staff/waiting/new/                       nothing
RSO     GET   /staff/waiting/edit/                      id=waits nothing
RSO     POST  /staff/waiting/edit/                      id=waits nothing
RSO     POST  /staff/waiting/search/                    nothing
RSO     POST  /staff/waiting/export/                    nothing +format=csv
RSO     GET   /staff/waiting/do/<name>/                 name=delete id=waits nothing
RSO     POST  /staff/waiting/do/<name>/                 name=delete id=waits nothing
RO      GET   /staff/waiting/priority/                  id=waits
RO      POST  /staff/waiting/priority/                  id=waits +priority=1
RO      GET   /staff/waiting/remove/                    id=waits
RO      POST  /staff/waiting/remove/                    id=waits +reason=x
RO      GET   /staff/waiting/join/
RO      POST  /staff/waiting/join/                      =422
# profiles, copies of documents, reviews
MR      GET   /staff/confirmations/
MR      GET   /staff/confirmations/<uuid:uid>/          uid=confirmation
MR      POST  /staff/confirmations/<uuid:uid>/confirm/  uid=confirmation +seen=1
MR      GET   /staff/confirmations/<uuid:uid>/refuse/   uid=confirmation
MR      POST  /staff/confirmations/<uuid:uid>/refuse/   uid=confirmation +reason=x
R       GET   /staff/papers/
R       GET   /staff/papers/<uuid:uid>/                 uid=person
R       POST  /staff/papers/<uuid:uid>/                 uid=person
R       GET   /staff/papers/<uuid:uid>/<uuid:paper>/file        uid=person paper=copy
R       POST  /staff/papers/<uuid:uid>/<uuid:paper>/send/       uid=person paper=copy
R       GET   /staff/papers/<uuid:uid>/<uuid:paper>/withdraw/   uid=person paper=copy
R       POST  /staff/papers/<uuid:uid>/<uuid:paper>/withdraw/   uid=person paper=copy
AM      GET   /staff/reviews/
AM      POST  /staff/reviews/<uuid:uid>/                uid=review +seen=new +to=published
AM      GET   /staff/survey/
AM      GET   /staff/survey/details/                    id=question nothing
AM      GET   /staff/survey/new/
AM      POST  /staff/survey/new/
AM      GET   /staff/survey/edit/                       id=question
AM      POST  /staff/survey/edit/                       id=question
AM      POST  /staff/survey/search/                     nothing
AM      POST  /staff/survey/export/                     nothing +format=csv
AM      GET   /staff/survey/do/<name>/                  name=delete id=question nothing
AM      POST  /staff/survey/do/<name>/                  name=delete id=question nothing

# control
AMR     GET   /staff/messages/
AMR     GET   /staff/messages/details/                  id=message
AMR     GET   /staff/messages/new/                      nothing
AMR     POST  /staff/messages/new/                      nothing
AMR     GET   /staff/messages/edit/                     id=message nothing
AMR     POST  /staff/messages/edit/                     id=message nothing
AMR     POST  /staff/messages/search/                   nothing
AMR     POST  /staff/messages/export/                   nothing +format=csv
AR      GET   /staff/messages/do/<name>/                name=resend id=message
AR      POST  /staff/messages/do/<name>/                name=resend id=message
MR      GET   /staff/calls/
A       GET   /staff/retention/
A       POST  /staff/retention/                         nothing
AC      GET   /staff/audit/
AC      GET   /staff/audit/details/                     id=audit
AC      GET   /staff/audit/new/                         nothing
AC      POST  /staff/audit/new/                         nothing
AC      GET   /staff/audit/edit/                        id=audit nothing
AC      POST  /staff/audit/edit/                        id=audit nothing
AC      POST  /staff/audit/search/                      nothing
AC      POST  /staff/audit/export/                      +format=csv narrowed
AC      GET   /staff/audit/do/<name>/                   name=delete id=audit nothing
AC      POST  /staff/audit/do/<name>/                   name=delete id=audit nothing
C       GET   /staff/access/
C       GET   /staff/access/details/                    id=access
C       GET   /staff/access/new/                        nothing
C       POST  /staff/access/new/                        nothing
C       GET   /staff/access/edit/                       id=access nothing
C       POST  /staff/access/edit/                       id=access nothing
C       POST  /staff/access/search/                     nothing
C       POST  /staff/access/export/                     +format=csv narrowed
C       GET   /staff/access/do/<name>/                  name=delete id=access nothing
C       POST  /staff/access/do/<name>/                  name=delete id=access nothing
C       POST  /staff/access/look-up/                    +words=Канар narrowed
C       GET   /staff/access/card/<uid>/                 uid=person
"""


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    who: str
    method: str
    rule: str
    names: dict[str, str] = field(default_factory=dict)
    """What stands in the rule or the query: name → thing of the world, or the text itself."""
    form: dict[str, str] = field(default_factory=dict)
    nothing: bool = False
    narrowed: bool = False
    status: int = 0
    """Of the answer to those who may; 0: any good one."""

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def on_staff(self) -> bool:
        return self.rule.startswith("/staff/")

    @property
    def roles(self) -> frozenset[Role]:
        """Which roles may; empty where no role is asked for."""
        if self.who == "staff":
            return frozenset(Role)
        return frozenset(LETTERS[letter] for letter in self.who if self.who.isupper())


def lines() -> list[Line]:
    """The table, read."""
    found = []
    for text in TABLE.splitlines():
        words = text.partition("#")[0].split()
        if not words:
            continue
        who, method, rule, *rest = words
        pairs = [word.partition("=") for word in rest if "=" in word[1:]]
        found.append(
            Line(
                who,
                method,
                rule,
                {name: value for name, _, value in pairs if not name.startswith("+")},
                {name[1:]: value for name, _, value in pairs if name.startswith("+")},
                "nothing" in rest,
                "narrowed" in rest,
                next((int(word[1:]) for word in rest if word.startswith("=")), 0),
            )
        )
    return found


LINES = lines()
