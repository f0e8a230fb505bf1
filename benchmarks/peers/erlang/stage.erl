%% Measures Erlang:
%%
%%   erl +S N:N +P 2000000 -noinput -pa FOLDER -s stage main \
%%     -extra --workload=NAME --workers=N --repetitions=R [--scale=S]
%%
%% Prints CSV. Each run checks its own result; a wrong one ends the program.
%% The counterpart of ours is benchmarks/stage.h; the flags and the rows of the
%% CSV are those of //benchmarks:workloads.
%%
%% The idiom differs: the number of schedulers is a flag of the virtual machine,
%% and a check is a pattern that has to match; all processes of a run are linked,
%% so the first that does not match ends all.
-module(stage).
-export([main/0, scaled/1, start_clock/1, finish/0, sends_per_turn/0]).

%% After how many sends producers and drivers let others run, by a message to
%% themselves.
sends_per_turn() -> 256.

%% As many as the scale wants instead of Operations; at least one.
scaled(Operations) -> max(1, trunc(Operations * persistent_term:get(scale))).

%% Begins the measurement. Returns Operations.
start_clock(Operations) ->
    ok = file:write_file("/proc/self/clear_refs", "5"),
    stage ! {begun, Operations, erlang:monotonic_time(nanosecond)},
    Operations.

%% Ends the measurement: all is done.
finish() -> stage ! {finished, erlang:monotonic_time(nanosecond)}.

main() ->
    Flags = [list_to_tuple(string:split(Flag, "=")) || Flag <- init:get_plain_arguments()],
    Workload = list_to_atom(flag("--workload", Flags, "")),
    Repetitions = list_to_integer(flag("--repetitions", Flags, "5")),
    Workers = list_to_integer(flag("--workers", Flags, "1")),
    Workers = erlang:system_info(schedulers),
    persistent_term:put(scale, number(flag("--scale", Flags, "1"))),
    register(stage, self()),
    AtFirst = from_status("VmRSS:"),
    [run(Workload, Workers, Temperature, AtFirst)
     || Temperature <- [cold | lists:duplicate(Repetitions - 1, warm)]],
    halt(0).

flag(Name, Flags, Default) -> proplists:get_value(Name, Flags, Default).

number(Text) ->
    case string:to_float(Text) of
        {error, no_float} -> list_to_integer(Text);
        {Number, ""} -> Number
    end.

run(Workload, Workers, Temperature, AtFirst) ->
    Before = erlang:system_info(process_count),
    {Runner, Monitor} = spawn_monitor(fun() -> Workload:start(), receive stop -> ok end end),
    {Operations, Begun} = receive {begun, N, Time} -> {N, Time} end,
    Ended =
        receive
            {finished, At} -> At;
            {'DOWN', Monitor, process, Runner, Reason} -> fail(Reason)
        after 300000 -> fail("not finished after five minutes")
        end,
    Peak = from_status("VmHWM:"),
    BytesPerActor =
        case Workload of
            idle_memory -> io_lib:format("~.1f", [(from_status("VmRSS:") - AtFirst) / Operations]);
            _ -> ""
        end,
    Seconds = (Ended - Begun) / 1.0e9,
    io:format("~s,~b,,~s,~b,~.6f,~b,~b,~s,~n",
              [Workload, Workers, Temperature, Operations, Seconds,
               round(Operations / Seconds), Peak, BytesPerActor]),
    demonitor(Monitor, [flush]),
    exit(Runner, kill),
    await_ends(Before).

%% Until the processes of the run have ended.
await_ends(Before) ->
    case erlang:system_info(process_count) > Before of
        true -> receive after 1 -> await_ends(Before) end;
        false -> ok
    end.

fail(Reason) ->
    io:format(standard_error, "erlang: ~p~n", [Reason]),
    halt(1).

%% The number behind Label in /proc/self/status, which is in kB there.
from_status(Label) ->
    {ok, Status} = file:read_file("/proc/self/status"),
    [_, Rest] = string:split(Status, Label),
    [Kilobytes | _] = string:lexemes(Rest, "\t kB\n"),
    binary_to_integer(Kilobytes) * 1024.
