"""The co-host and the script desk. Where things are, from the values at the bottom to the command line on top:

What everybody uses
    errors              mistakes and refusals, told to people in one line
    letters             facts about characters: invisible ones, those that break a line
    pace                so many at most in so many seconds
    feed                notices to browsers
    messages            what viewers send
    scenario            scenarios, characters, lines, the transcript, and their files
    engine/             the model: tokens in, drafts out

The show, in the order in which a message goes through it
    show                the flow: the file to read first
    intake              the waiting room: which message gets an answer next
    asking              the user's own moderation services, asked in time
    findings            what the checks say, as it is shown and kept
    held                lists of held messages and of viewers who are not heard
    rulings             what a person makes of the two
    own_words           the user's own word list
    approval            what waits for a person; the only place that makes an Approved
    outlets             what the audience perceives
    posting/            outlets that post to a platform's chat
    board               what the panel is told
    view                values as the JSON that pages read

Which scenario is played, and how
    rules               the settings of a show
    voices              how each character draws its words
    staging             a scenario with all that follows from it
    backstage           makes a staging, by the settings

Stories apart from the show
    desk/               the script desk
    cards/              files of other programs, read and written; pure
    scenario_files      between those and the library
    aired               what was aired, as lines of a story
    chapter/            a story to read and to take away; pure
    figures/            statistics; pure

Around them
    save/               the only package that writes under Save/
    web/                pages and calls
    config/             every setting
    app                 puts all of it together
    check               what `cohost check` looks at
    scenario_commands   what `cohost scenario` does
    bench/              what `cohost bench` measures
"""
