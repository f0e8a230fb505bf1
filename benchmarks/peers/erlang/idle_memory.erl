%% Many processes are alive and have nothing to do.
-module(idle_memory).
-export([start/0]).

start() ->
    Before = erlang:system_info(process_count),
    Actors = stage:start_clock(stage:scaled(1000000)),
    spawn_link(fun() -> keep(Actors, Actors, Before + 1) end).

keep(0, Sleepers, Others) ->
    Sleepers = erlang:system_info(process_count) - Others,
    stage:finish(),
    receive stop -> ok end;
keep(ToSpawn, Sleepers, Others) ->
    Now = min(ToSpawn, stage:sends_per_turn()),
    spawn_some(Now),
    self() ! spawn_some,
    receive spawn_some -> keep(ToSpawn - Now, Sleepers, Others) end.

spawn_some(0) -> ok;
spawn_some(Count) ->
    spawn_link(fun() -> sleep(0) end),
    spawn_some(Count - 1).

sleep(Woken) ->
    receive wake -> sleep(Woken + 1) end.
